import { z } from 'zod';

/** Health of an uplink. */
const verdicts = ['up', 'degraded', 'down', 'captive', 'disabled'] as const;
/** One of {@link verdicts}. */
export type Verdict = (typeof verdicts)[number];

const counters = z.record(z.string(), z.number());

const strandStatus = z.object({
  strand: z.number(),
  role: z.string(),
  state: z.string(),
  rttMs: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
});

const perClass = z.object({ realtime: z.number(), interactive: z.number(), bulk: z.number() });

const pathPackets = z.object({
  /** carries, asking (nobody has answered a datagram yet), silent (nobody does any more). */
  state: z.string(),
  rttMs: z.number(),
  jitterMs: z.number(),
  /** Of what was sent lately, 0 to 1. */
  lossRatio: z.number(),
  /** How much longer the way there is than at its shortest. */
  queueMs: z.number(),
  /** The last rate at which datagrams arrived at the other end; 0: not known. */
  deliveryBps: z.number(),
  /** The largest datagram sent; longer packets go in pieces. */
  datagramBytesMax: z.number(),
  /** Sent since the path began. */
  bytesOut: perClass,
});
/** What a path does for UDP and everything else that is no TCP. */
export type PathPackets = z.infer<typeof pathPackets>;

const sessionPackets = z.object({
  /** Waits for a line, bytes. */
  waiting: perClass,
  /** Packets that came, and wait for one before them. */
  held: z.number(),
  late: z.number(),
  /** Missing ones that were waited for no longer. */
  givenUp: z.number(),
  /** Second copies that were thrown away; and those sent. */
  doubled: z.number(),
  copied: z.number(),
  dropped: z.number(),
  split: z.number(),
});
/** What a session does with UDP and everything else that is no TCP. */
export type SessionPackets = z.infer<typeof sessionPackets>;

const pathStatus = z.object({
  path: z.number(),
  uplink: z.string().optional(),
  state: z.string(),
  rttMs: z.number(),
  minRttMs: z.number(),
  /** Bits per second over the last second, towards the LAN and away from it. */
  rateDownBps: z.number(),
  rateUpBps: z.number(),
  /** Bits per second this side believes it can send on the path. */
  estimateBps: z.number(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  /** How often it was suspected. */
  suspicions: z.number(),
  /** Whether UDP gets through there, as far as packets of the tunnel have shown; if not, or little of it, they go by TCP. */
  udp: z.enum(['open', 'blocked', 'limited']).default('open'),
  /** Of a box: where it leads, and why the newest connection over it was not made (an errno's name). */
  relayAddress: z.string().optional(),
  connectFault: z.string().optional(),
  /** Absent where datagrams have no way there. */
  packets: pathPackets.optional(),
  strands: z.array(strandStatus),
});
/** One path of a session. */
export type PathStatus = z.infer<typeof pathStatus>;

const sessionStatus = z.object({
  /** Whom the session is with: the box's name at a relay, the relay's pin at a box. */
  peer: z.string(),
  streams: z.number(),
  paths: z.array(pathStatus),
  packets: sessionPackets.optional(),
  counters,
});
/** One session. */
export type SessionStatus = z.infer<typeof sessionStatus>;

const uplinkStatus = z.object({
  name: z.string(),
  interface: z.string(),
  kind: z.string(),
  verdict: z.enum(verdicts),
  reason: z.string(),
  /** Seconds since verdict and reason are what they are. */
  sinceS: z.number().optional(),
  /** At most one of each family. */
  addresses: z.array(z.object({ address: z.string(), gateway: z.string().optional() })),
  /** Whether what is not TCP leaves by this uplink now. */
  direct: z.boolean(),
  path: pathStatus.optional(),
});
/** One uplink of a box with its verdict. */
export type UplinkStatus = z.infer<typeof uplinkStatus>;

/** A public port of the relay that leads to a LAN, one protocol. */
const publishedPort = z.object({
  protocol: z.enum(['tcp', 'udp']),
  port: z.number(),
  /** Of a relay: whose LAN, by name. */
  box: z.string().optional(),
  /** Hosts with their ports, one of each family at most. */
  to: z.array(z.string()),
  /** Networks clients may come from; none: everywhere. */
  from: z.array(z.string()),
  /** Of a relay: where it was published. */
  origin: z.enum(['configured', 'command']).optional(),
  /** Whether clients get through, as far as is known. */
  works: z.boolean(),
  /** Half a sentence: why it does not work, or that it does. */
  reason: z.string(),
  /** Of TCP at a relay: connections open now. */
  streams: z.number().optional(),
});
/** See {@link publishedPort}. */
export type PublishedPortStatus = z.infer<typeof publishedPort>;

/** Networks behind the relay and of a LAN that know each other. */
const routeStatus = z.object({
  /** Of a relay: whose LAN, by name. */
  box: z.string().optional(),
  /** Behind the relay, reached by hosts of the LAN. */
  networks: z.array(z.string()),
  /** Of the LAN, reached from there. */
  lan: z.array(z.string()),
  /** What of it is not so, as half a sentence each. */
  faults: z.array(z.string()),
});
/** See {@link routeStatus}. */
export type RouteStatus = z.infer<typeof routeStatus>;

/** What `GET /v1/status` of a daemon's local socket answers. */
export const daemonStatus = z.object({
  kind: z.enum(['box', 'relay']),
  version: z.string(),
  pin: z.string(),
  uptimeS: z.number(),
  /** A sentence: what the daemon is doing about its session or sessions. */
  summary: z.string(),
  /** Of a box: what becomes of everything that is no TCP: it goes to the relay, is held back while that is not known, or leaves directly. */
  tunnel: z.enum(['carries', 'waiting', 'none']).optional(),
  uplinks: z.array(uplinkStatus),
  /** Ports of the relay that lead to LANs: all of a relay's, or those that lead to this box's. */
  published: z.array(publishedPort).default([]),
  routes: z.array(routeStatus).default([]),
  sessions: z.array(sessionStatus),
  counters,
  /** What a person should know and can change, in sentences. */
  warnings: z.array(z.string()),
});
/** See {@link daemonStatus}. */
export type DaemonStatus = z.infer<typeof daemonStatus>;
