/** The relay's data plane: one listener, a session per box, egress connections. */
import { defaultPacketPolicy, kidNumber, limits, type Opening } from '@tresse/core';
import { FreeListPool, sentenceOf } from '@tresse/kit';
import { closeWithReset, nativeSlab, randomBytes, runWorker, type WorkerContext } from '@tresse/sys';

import type { EngineStatus, KidInstall, SessionStatus } from '../api.ts';
import type { FromWorker, RelayWorkerData, ToWorker } from '../messages.ts';
import { aeadOf } from './ciphers.ts';
import { Exits } from './exits.ts';
import { memoryBudget, MemoryGovernor } from './memory-governor.ts';
import { PublishedPorts } from './published-ports.ts';
import { RelayKids } from './relay-kids.ts';
import { type PacketMember, RelayPackets } from './relay-packets.ts';
import { type Log, SessionDriver } from './session-driver.ts';
import type { StrandKeys } from './strand-keys.ts';
import { type ListenerOwner, type RelayKid, StrandListener } from './strand-listener.ts';
import { hasWantedCongestionControl } from './strand-options.ts';
import { StrandSocket } from './strand-socket.ts';

type Context = WorkerContext<ToWorker, FromWorker, RelayWorkerData>;

/** While much is held it is looked at so often, ms: in a quarter of a second a fast line brings a hundred megabytes. */
const tickGapMs = 50;
const ticksPerSweep = 5;
/** Sweeps after which memory that was not needed meanwhile is given back: ten seconds. */
const sweepsPerTrim = 40;
const unusedSlabBytes = 64 * 1_048_576;

interface RelaySession {
  readonly key: string;
  readonly peer: string;
  readonly driver: SessionDriver;
  readonly packets: PacketMember | undefined;
  /** Streams the box takes. */
  readonly streamsMax: number;
  /** It had no line for too long. It is kept, without memory or time: a box that was only frozen goes on where it was. */
  asleep: boolean;
}

class RelayPlane implements ListenerOwner {
  readonly #context: Context;
  readonly #log: Log;
  readonly #pool = new FreeListPool(nativeSlab, unusedSlabBytes);
  readonly #listener: StrandListener;
  readonly #exits: Exits;
  readonly #sessions = new Map<string, RelaySession>();
  readonly #kids = new RelayKids<RelaySession>(({ packets }, hex) => {
    if (packets) this.#packets?.forgetKey(packets, kidNumber(Buffer.from(hex, 'hex'), 0));
  });
  readonly #packets: RelayPackets | undefined;
  readonly #governor: MemoryGovernor;
  readonly #published: PublishedPorts;
  #ticks = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#log = (level, text, fields) => context.post({ type: 'log', level, text, fields });
    const { loop, data } = context;
    this.#exits = new Exits(data);
    this.#governor = new MemoryGovernor((data.memoryBytes ?? memoryBudget()) / data.workers);
    this.#listener = new StrandListener(loop, this, data.index, data.workers);
    const port = data.packetPorts?.[data.index];
    this.#published = new PublishedPorts(loop, (peer) => this.#awake(peer));
    if (port) this.#packets = new RelayPackets(loop, port.udpFds, port.tunFd, this.#log);
  }

  /** Listens, and adds everything to the loop. Throws ErrnoError when a port is taken. */
  start(): void {
    const context = this.#context;
    const { loop, data } = context;
    for (const { address, port } of data.listen) this.#listener.listen(address, port);
    if (!hasWantedCongestionControl()) this.#log('warn', 'the kernel has no bbr: lines that lose packets are slow', {});
    loop.afterBatch(() => {
      for (const session of this.#sessions.values()) {
        session.driver.afterBatch();
        session.packets?.driver.afterBatch();
      }
      this.#packets?.afterBatch();
    });
    const tick = loop.timer(() => {
      this.#tick();
      tick.at(loop.nowMs + tickGapMs);
    });
    tick.at(loop.nowMs + tickGapMs);
    context.onMessage((message) => this.#onMessage(message));
    context.onStop(() => {
      for (const session of this.#sessions.values()) this.#end(session, 'the relay stops');
    });
  }

  kid(hex: string): RelayKid | undefined {
    return this.#kids.get(hex);
  }

  onTls(fd: number, remote: { address: string; port: number }): void {
    this.#context.handOver(fd, { type: 'tls', fd, ...remote });
  }

  onForeign(fd: number, worker: number): void {
    this.#context.handOver(fd, { type: 'strand', fd, worker });
  }

  onOpening(fd: number, kidHex: string, keys: StrandKeys, opening: Opening): void {
    const kid = this.#kids.get(kidHex);
    const driver = kid?.session.driver;
    if (
      !kid ||
      !driver ||
      driver.session.strands.size >= limits.strandsMax ||
      driver.session.strands.has(opening.strand)
    ) {
      this.#listener.counters.openingsRefused++;
      closeWithReset(fd);
      return;
    }
    kid.session.asleep = false;
    const socket = new StrandSocket(
      fd,
      this.#context.loop,
      kid.aead,
      { seal: keys.down, sealCounter: 0, open: keys.up, openCounter: 1 },
      driver,
    );
    socket.watch();
    driver.addStrand(socket, opening.strand, opening.path, opening.role);
    this.#kids.used(kidHex, this.#context.loop.nowMs);
  }

  #onMessage(message: ToWorker): void {
    switch (message.type) {
      case 'kid':
        this.#install(message.install);
        this.#context.post({ type: 'done', call: message.call });
        break;
      case 'end': {
        const session = this.#sessions.get(message.sessionKey);
        const isBusy = message.onlyIdle && session !== undefined && session.driver.session.streams.size > 0;
        if (session && !isBusy) this.#end(session, 'ended by the daemon');
        break;
      }
      case 'end-peer':
        for (const session of this.#sessions.values()) {
          if (session.peer === message.peer) this.#end(session, 'the peer is turned out');
        }
        break;
      case 'message':
        for (const session of this.#sessions.values()) {
          if (message.sessionKey === undefined || message.sessionKey === session.key) session.driver.say(message.bytes);
        }
        break;
      case 'own':
        this.#exits.setOwn(message.addresses);
        break;
      case 'routes':
        this.#exits.setRoutes(message.routes);
        for (const session of this.#sessions.values()) this.#setLan(session);
        break;
      case 'strand':
        this.#listener.adopt(message.fd);
        break;
      case 'status':
        this.#context.post({ type: 'status', call: message.call, status: this.#status() });
        break;
      case 'published':
        this.#published.set(message.ports);
        this.#context.post({ type: 'done', call: message.call });
        break;
      case 'paths':
      case 'direct':
      case 'lan':
        break;
    }
  }

  #install(install: KidInstall): void {
    for (const old of this.#sessions.values()) {
      if (old.peer === install.peer && old.key !== install.sessionKey)
        this.#end(old, 'a newer session of the same box');
    }
    const session = this.#sessions.get(install.sessionKey) ?? this.#begin(install);
    if (session.packets) this.#packets?.addKey(session.packets, install);
    const hex = Buffer.from(install.kid).toString('hex');
    this.#kids.install(hex, install.secret, aeadOf(install.cipher), session, this.#context.loop.nowMs);
  }

  #begin(install: KidInstall): RelaySession {
    const { loop } = this.#context;
    const driver = new SessionDriver(
      'relay',
      install.peer,
      loop,
      this.#pool,
      (stream) => this.#exits.of(install.peer)(stream),
      this.#log,
      {
        onPath: (path, suspect) => {
          const text = suspect ? 'path is silent while others are heard' : 'path is heard again';
          this.#log(suspect ? 'warn' : 'info', text, { box: install.peer, path });
        },
        onMessage: (bytes) => this.#context.post({ type: 'message', sessionKey: install.sessionKey, bytes }),
        onAnswered: () => {},
        onDatagram: (path, slab, start, length) => packets?.driver.receiveInStrand(path, slab, start, length),
        onStreamEnd: (stream, reason) => this.#published.noteEnd(stream, reason),
        onStrandClosed: () => {},
        onOver: () => this.#sleep(session),
      },
    );
    const packets =
      install.inner && this.#packets?.begin(driver, install.inner, install.packets ?? defaultPacketPolicy);
    const session: RelaySession = {
      key: install.sessionKey,
      peer: install.peer,
      driver,
      packets,
      streamsMax: Math.min(limits.streamsMax, install.limits.streams),
      asleep: false,
    };
    this.#sessions.set(install.sessionKey, session);
    this.#setLan(session);
    this.#log('info', 'session begins', { box: install.peer, cipher: install.cipher });
    return session;
  }

  /** Networks behind a box are known by its packets. */
  #setLan({ packets, peer }: RelaySession): void {
    if (packets) this.#packets?.setLan(packets, this.#exits.lanOf(peer));
  }

  /** The session of a box that is there. */
  #awake(peer: string): RelaySession | undefined {
    for (const session of this.#sessions.values()) {
      if (session.peer === peer && !session.asleep && session.driver.session.strands.size > 0) return session;
    }
    return undefined;
  }

  #end(session: RelaySession, reason: string): void {
    if (!this.#sessions.delete(session.key)) return;
    this.#kids.forget(session);
    if (session.packets) this.#packets?.end(session.packets);
    session.driver.end(reason);
    this.#log('info', 'session ends', { box: session.peer, reason });
  }

  /**
   * Its streams were reset long ago; the numbers used must outlive them, for the box may still know the session. There is
   * one per box, so this needs no end.
   */
  #sleep(session: RelaySession): void {
    if (session.asleep) return;
    session.asleep = true;
    session.driver.closeStrands('no line for too long');
    this.#log('info', 'session sleeps', { box: session.peer });
  }

  #tick(): void {
    const sweeps = ++this.#ticks % ticksPerSweep === 0;
    if (sweeps) {
      const nowMs = this.#context.loop.nowMs;
      this.#listener.sweep(nowMs);
      this.#kids.sweep(nowMs);
      this.#packets?.sweep();
    }
    if (sweeps || this.#governor.near(this.#pool.usedBytes)) this.#shed();
    if (this.#ticks % (ticksPerSweep * sweepsPerTrim) === 0) this.#pool.trim();
  }

  /** Whoever holds more than its share while all together hold too much loses what it holds most with. */
  #shed(): void {
    const drivers = [...this.#sessions.values()].filter((one) => !one.asleep).map((one) => one.driver);
    for (const driver of this.#governor.look(drivers)) {
      driver.touch();
      this.#log('warn', 'too much is held for a box: its largest streams were ended', { box: driver.peer });
    }
  }

  #status(): EngineStatus {
    return {
      sessions: [...this.#sessions.values()].filter((s) => !s.asleep).map((s) => statusOf(s)),
      counters: {
        ...this.#listener.counters,
        exhausted: this.#listener.exhausted,
        undecided: this.#listener.undecided,
        kids: this.#kids.size,
        memoryBytes: this.#pool.usedBytes,
        memoryUnusedBytes: this.#pool.unusedBytes,
        heldBytes: this.#governor.heldBytes,
        streamsShed: this.#governor.streamsShed,
        ...this.#packets?.counters,
      },
      published: this.#published.status(),
    };
  }
}

function statusOf({ driver, packets }: RelaySession): SessionStatus {
  const status = driver.status(() => undefined);
  return packets?.driver.completed(status) ?? status;
}

runWorker<ToWorker, FromWorker, RelayWorkerData>((context) => {
  try {
    const plane = new RelayPlane(context);
    plane.start();
  } catch (error) {
    context.post({ type: 'unready', reason: sentenceOf(error) });
    throw error;
  }
  context.post({ type: 'ready', incarnation: Buffer.from(randomBytes(16)).toString('hex') });
});
