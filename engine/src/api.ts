/** What the main thread of a daemon and its engine say to each other. */
import type { PacketPolicy, UdpState } from '@tresse/core';
import type { Cipher } from '@tresse/sys';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Record<string, string | number | boolean>;

export interface EngineEvents {
  /**
   * The worker runs; again after each restart, and at the box after the end of a session: with a new incarnation and the
   * next generation. Sessions, keys and path numbers of before are gone.
   */
  onReady(incarnation: string, generation: number): void;
  onLog(level: LogLevel, text: string, fields: LogFields): void;
  /** Relay: a handshake begins on this descriptor, which belongs to the main thread from now on. */
  onTlsConnection?(fd: number, remote: { address: string; port: number }): void;
  /** Box: there is no key, or an opening was refused. */
  onHandshakeWanted?(reason: string): void;
  /** The peer's daemon says something on this session: bytes of a stranger's making. */
  onPeerMessage?(sessionKey: string, bytes: Uint8Array): void;
  /** Box: the relay came or went (it counts as there at the start of a worker); the evidence is a sentence. */
  onReach?(reached: boolean, evidence: string): void;
  /** Box: packets get through to the relay on one line at least, or no longer. First heard within three seconds of a session's begin. */
  onPacketsCarried?(carried: boolean): void;
  /** Box: a link, address or route changed. */
  onNetworkChanged?(): void;
  /** The worker died and is started again (or not: `restartInMs` undefined). */
  onFault(stack: string, count: number, restartInMs: number | undefined): void;
}

/** What each side tells the other in the hello. */
export interface PeerLimits {
  readonly streams: number;
  readonly initialCredit: number;
  readonly frames: readonly number[];
  /** Streams that may be opened in a second; as many as wanted where nothing is told. */
  readonly opensPerSecond?: number | undefined;
}

export interface KidInstall {
  /** 8 bytes. */
  readonly kid: Uint8Array;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  readonly cipher: Cipher;
  /** Peer's pin and both incarnations: the same key means the session goes on. */
  readonly sessionKey: string;
  /** Peer's pin or name, for logs; a new session of the same peer ends its old one. */
  readonly peer: string;
  readonly limits: PeerLimits;
  /** Relay: what the box is called inside the tunnel; without, the session has no packet lane. */
  readonly inner?: InnerAddresses;
  /** How packets are laid over the lines; default: as is usual. Of a session's first key. */
  readonly packets?: PacketPolicy;
  /** {@link Engine.revisionOf} the peer when its handshake began; default 0. */
  readonly revision?: number;
}

/** What a box is called inside the tunnel: its packets come from these. */
export interface InnerAddresses {
  readonly ipv4: string;
  readonly ipv6?: string;
}

export interface BoxPath {
  /** 1 to 255, never reused in a session. */
  readonly path: number;
  readonly uplink: string;
  readonly interface: string;
  readonly localAddress: string;
  readonly relayAddress: string;
  readonly relayPort: number;
  readonly enabled: boolean;
  readonly metered: boolean;
  /** What the uplink may carry, bits per second; all its paths share it. */
  readonly rateLimit?: { readonly downBps?: number; readonly upBps?: number };
}

/** Hosts of the LAN that a relay may lead streams to. */
export interface LanAccess {
  /** Networks, as ADDRESS/BITS or an address, each with the interface by which its hosts are reached; without one the main table says. */
  readonly networks: readonly { readonly network: string; readonly interface?: string }[];
  /** Networks and addresses in them where no stream may lead. */
  readonly except: readonly string[];
}

/** The source of connections that leave a line without the relay. */
export interface DirectSource {
  readonly interface: string;
  readonly address: string;
}

/**
 * Where connections leave that were accepted for the relay and have waited for it in vain, by family; those without a source
 * are reset.
 */
export type DirectSources = Readonly<Partial<Record<4 | 6, DirectSource>>>;

export interface BoxEngineOptions {
  readonly interceptPort: number;
  /** SO_MARK of everything the engine sends. */
  readonly mark: number;
  /** The TUN device of the packet lane; the descriptor stays the caller's, and outlives the engine. Without, there is no packet lane. */
  readonly tunFd?: number;
  /** Strands are replaced so long after a newer key came, ms; default ten minutes. */
  readonly strandOldMs?: number;
}

/** Descriptors by which a worker's packets come and go. */
export interface PacketPort {
  readonly tunFd: number;
  readonly udpFds: readonly number[];
}

export interface RelayEngineOptions {
  readonly listen: readonly { address: string; port: number }[];
  /** Networks streams may lead to although they are private, as ADDRESS/BITS. */
  readonly allowPrivate: readonly string[];
  /** The relay's own addresses: streams never lead there. */
  readonly ownAddresses?: readonly string[];
  /** Threads that carry sessions, each its own; default 1. */
  readonly workers?: number;
  /** For each worker its TUN device and its UDP sockets, in the caller's keeping; without, there is no packet lane. */
  readonly packetPorts?: readonly PacketPort[];
  /** What sessions may hold all together, kernel queues counted, bytes; default a quarter of the machine's memory. */
  readonly memoryBytes?: number;
}

export interface StrandStatus {
  readonly strand: number;
  readonly role: 'quick' | 'bulk' | 'datagram';
  readonly state: 'opening' | 'answered' | 'suspect' | 'closed';
  readonly rttMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Something of each class of packets: calls and games, what should not wait, transfers. */
export interface PerClass {
  readonly realtime: number;
  readonly interactive: number;
  readonly bulk: number;
}

/** What a path does for the packet lane. */
export interface PathPackets {
  /** Datagrams get through; nobody has answered one yet; or nobody does any more. */
  readonly state: 'carries' | 'asking' | 'silent';
  readonly rttMs: number;
  /** Mean deviation of the round trip. */
  readonly jitterMs: number;
  /** Of what was sent lately, 0 to 1. */
  readonly lossRatio: number;
  /** How much longer the way there is than at its shortest. */
  readonly queueMs: number;
  /** The last rate at which datagrams arrived there, bits per second; 0: not known. */
  readonly deliveryBps: number;
  /** The largest datagram that is sent, UDP's header not counted; longer packets go in pieces. */
  readonly datagramBytesMax: number;
  /** Sent since the path began. */
  readonly bytesOut: PerClass;
}

/** What a session does in the packet lane. */
export interface SessionPackets {
  /** Waits for a line, bytes. */
  readonly waiting: PerClass;
  /** Came, and wait for one before them. */
  readonly held: number;
  /** Delivered behind a newer one of their flow; and missing ones that were waited for no longer. */
  readonly late: number;
  readonly givenUp: number;
  /** Second copies that were thrown away; and those sent. */
  readonly doubled: number;
  readonly copied: number;
  /** Dropped because they stood too long, or for want of room. */
  readonly dropped: number;
  /** Sent in pieces, because a line takes no longer ones. */
  readonly split: number;
}

export interface PathStatus {
  readonly path: number;
  readonly uplink?: string;
  readonly state: 'up' | 'suspect' | 'down' | 'connecting';
  readonly rttMs: number;
  readonly minRttMs: number;
  /** What the line carried this way over the last second, bits per second. */
  readonly rateInBps: number;
  readonly rateOutBps: number;
  /** What it is reckoned to carry outwards, bits per second; 0 when never filled. */
  readonly estimateBps: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly suspicions: number;
  /** Whether datagrams get through; if not, or few of them, packets ride a strand. */
  readonly udp: UdpState;
  /** Box: where it leads. */
  readonly relayAddress?: string;
  /** Box: why the newest connection over it was not made, as the errno's name; absent once one stood. */
  readonly connectFault?: string;
  /** Absent where the path has no part in the packet lane. */
  readonly packets?: PathPackets;
  readonly strands: readonly StrandStatus[];
}

export interface SessionStatus {
  readonly peer: string;
  readonly streams: number;
  readonly paths: readonly PathStatus[];
  /** Absent without a packet lane. */
  readonly packets?: SessionPackets;
  readonly counters: Readonly<Record<string, number>>;
}

export interface EngineStatus {
  readonly sessions: readonly SessionStatus[];
  readonly counters: Readonly<Record<string, number>>;
  /** Relay: of its published ports. */
  readonly published?: readonly PublishedStatus[];
}

/** A host of the LAN and its port, one of each family at most. */
export type LanTargets = Readonly<Partial<Record<4 | 6, { readonly address: string; readonly port: number }>>>;

/** A public TCP port that leads to a host of a box's LAN. */
export interface PublishedPort {
  readonly port: number;
  /** The box, named as in {@link KidInstall.peer}. */
  readonly peer: string;
  /** Listening sockets, in the caller's keeping. */
  readonly fds: readonly number[];
  /** Clients go to the host of their own family where there is one. */
  readonly targets: LanTargets;
  /** Networks clients may come from, as ADDRESS/BITS; none: from everywhere. */
  readonly from: readonly string[];
  /** The host sees the client's address where that is of its family, else the box's; default false. */
  readonly showClients?: boolean;
}

/** What came of a {@link PublishedPort}. */
export interface PublishedStatus {
  readonly port: number;
  /** Open now. */
  readonly streams: number;
  readonly accepted: number;
  /** Reset at once: not from where clients may come, the box is away, or too many. */
  readonly refused: number;
  /** The host did not take them. */
  readonly failed: number;
  /** Why the host did not take the newest; a half sentence. */
  readonly failure?: string;
}

/** Networks behind a relay and of a box's LAN that know each other, as ADDRESS/BITS. */
export interface PeerRoutes {
  /** The box, named as in {@link KidInstall.peer}. */
  readonly peer: string;
  /** Its streams may lead there although they are private. */
  readonly networks: readonly string[];
  /** Packets to these go to it, and may come from there. */
  readonly lan: readonly string[];
}

/** What both kinds of engine offer the main thread. */
export interface Engine {
  /** Resolves when the worker first runs; rejects when it cannot (a port in use). */
  readonly ready: Promise<void>;
  /**
   * Resolves when strands under the new key are accepted. Rejects with PeerError `PEER_ENDED` when the peer was ended since
   * its handshake began.
   */
  installKid(install: KidInstall): Promise<void>;
  /** Ends a session; with `onlyIdle` not while it has streams. */
  endSession(sessionKey: string, onlyIdle?: boolean): void;
  /**
   * Ends whatever there is with a peer, named as in {@link KidInstall.peer}, at once: its streams are reset, its keys
   * forgotten, and keys of handshakes under way are not installed any more.
   */
  endPeer(peer: string): void;
  /** How often a peer was ended. */
  revisionOf(peer: string): number;
  /** Says something to the daemon at the other end of every session, or of one, at most 64 KiB. */
  tellPeers(bytes: Uint8Array, sessionKey?: string): void;
  status(): Promise<EngineStatus>;
  /** Ends within a second. */
  stop(): Promise<void>;
}

export interface BoxEngine extends Engine {
  /** The paths there are; what is missing from the list is closed. May be called again and again. */
  setPaths(paths: readonly BoxPath[]): void;
  /** Where to go without the relay; none until this is called. */
  setDirect(sources: DirectSources): void;
  /** Where the relay may lead streams; nowhere until this is called. */
  setLan(access: LanAccess): void;
}

/** Where a peer's session is to be. */
export interface EnginePlace {
  /** Which of the workers. */
  readonly worker: number;
  /** The worker's own, for the hello. */
  readonly incarnation: string;
  /** The exporter's context to begin with. */
  readonly generation: number;
  /** Whether a key's session would be there; if not, another generation gives another key. */
  fits(kid: Uint8Array): boolean;
}

export interface RelayEngine extends Engine {
  /** The relay's addresses are others now. */
  setOwnAddresses(addresses: readonly string[]): void;
  /** The routes of boxes; those that are missing have none. */
  setRoutes(routes: readonly PeerRoutes[]): void;
  /** These ports lead to LANs, and no others. Resolves when no worker looks at the descriptors of others any more. */
  setPublished(ports: readonly PublishedPort[]): Promise<void>;
  /** The place of a peer, named as in {@link KidInstall.peer}; undefined while its worker is starting. */
  place(peer: string): EnginePlace | undefined;
}
