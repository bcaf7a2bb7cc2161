/** The box's data plane: intercepts the LAN's TCP, opens strands over every path, drives the one session. */
import { defaultPacketPolicy, limits, OpenAllowance, type PathLimits, ResetReason as Reason } from '@tresse/core';
import { FreeListPool, sentenceOf } from '@tresse/kit';
import {
  closeWithReset,
  nativeSlab,
  randomBytes,
  runWorker,
  type SocketAddress,
  type WorkerContext,
} from '@tresse/sys';

import type { BoxPath, DirectSources, EngineStatus, KidInstall, PathStatus } from '../api.ts';
import type { BoxWorkerData, FromWorker, ToWorker } from '../messages.ts';
import { AddressRace } from './address-race.ts';
import { BoxPackets } from './box-packets.ts';
import { CarrierWatch } from './carrier-watch.ts';
import { DirectPump } from './direct-pump.ts';
import { intercept } from './interceptor.ts';
import { lanConnect } from './lan-connect.ts';
import { hintsOf } from './lan-host.ts';
import { Reach } from './reach.ts';
import { type DriverEvents, type Log, SessionDriver } from './session-driver.ts';
import { StrandCaller } from './strand-caller.ts';
import { hasWantedCongestionControl } from './strand-options.ts';
import type { Connect } from './stream-sockets.ts';
import { targetOf } from './target.ts';

type Context = WorkerContext<ToWorker, FromWorker, BoxWorkerData>;

/** Connections that wait while the relay is not heard. */
const heldMax = 1_024;
/** Refused openings in a row that mean: the relay does not know our key. */
const refusalsMax = 2;
const handshakeGapMs = 1_000;
/** Streams a second where the relay names no bound. */
const opensUntold = 1_000_000;
/** So often it is looked whether the relay is heard, and for what has waited too long, ms. */
const sweepGapMs = 100;
/** Sweeps after which memory that was not needed meanwhile is given back: ten seconds. */
const sweepsPerTrim = 100;
const unusedSlabBytes = 16 * 1_048_576;

class BoxPlane {
  readonly #context: Context;
  readonly #log: Log;
  readonly #pool = new FreeListPool(nativeSlab, unusedSlabBytes);
  readonly #carriers: CarrierWatch;
  readonly #reach: Reach;
  readonly #pump: DirectPump;
  readonly #race = new AddressRace();
  readonly #packets: BoxPackets | undefined;
  readonly #held: { fd: number; dialled: SocketAddress }[] = [];
  readonly #counters = { intercepted: 0, refusedWithoutSession: 0, resetUnheard: 0, openingsRefused: 0 };
  #paths = new Map<number, BoxPath>();
  #direct: DirectSources = {};
  #toLan: Connect = lanConnect({ networks: [], except: [] }, 0);
  #sessionKey = '';
  #driver: SessionDriver | undefined;
  #caller: StrandCaller | undefined;
  /** What the relay takes, as its hello told. */
  #streamsMax: number = limits.streamsMax;
  #opens: OpenAllowance = new OpenAllowance(limits.opensPerSecond, 1, 0);
  #refusals = 0;
  #sweeps = 0;
  #networkChanged = false;
  #reachDue = false;
  #handshakeAskedMs = -Infinity;

  constructor(context: Context) {
    this.#context = context;
    this.#log = (level, text, fields) => context.post({ type: 'log', level, text, fields });
    this.#reach = new Reach(context.loop.nowMs);
    this.#pump = new DirectPump(context.loop, context.data.mark);
    if (context.data.tunFd !== undefined) {
      this.#packets = new BoxPackets(context.loop, context.data.tunFd, context.data.mark, this.#log, (carried) =>
        context.post({ type: 'packets', carried }),
      );
    }
    this.#carriers = new CarrierWatch(
      context.loop,
      (ifname, up) => this.#onCarrier(ifname, up),
      () => {
        this.#networkChanged = true;
      },
    );
  }

  /** Listens, and adds everything to the loop. Throws ErrnoError when the port is taken. */
  start(): void {
    const context = this.#context;
    const { loop, data } = context;
    intercept(loop, data.interceptPort, data.mark, (fd, dialled) => this.#onConnection(fd, dialled));
    if (!hasWantedCongestionControl()) this.#log('warn', 'the kernel has no bbr: lines that lose packets are slow', {});
    loop.afterBatch(() => this.#afterBatch());
    const sweep = loop.timer(() => {
      this.#sweep();
      sweep.at(loop.nowMs + sweepGapMs);
    });
    sweep.at(loop.nowMs + sweepGapMs);
    const dial = loop.timer(() => {});
    loop.afterBatch(() => {
      const dueMs = this.#caller?.dialer.nextDueMs(loop.nowMs) ?? Infinity;
      if (dueMs < Infinity) dial.at(dueMs);
    });
    context.onMessage((message) => this.#onMessage(message));
    context.onStop(() => {
      this.#endSession('the box stops');
      this.#pump.end();
    });
    this.#announce();
  }

  #onMessage(message: ToWorker): void {
    switch (message.type) {
      case 'kid':
        this.#install(message.install);
        this.#context.post({ type: 'done', call: message.call });
        break;
      case 'paths':
        this.#setPaths(message.paths);
        break;
      case 'direct':
        this.#direct = message.sources;
        break;
      case 'lan':
        this.#toLan = lanConnect(message.access, this.#context.data.mark);
        break;
      case 'end':
        if (this.#driver && message.sessionKey === this.#sessionKey) {
          if (message.onlyIdle && this.#driver.session.streams.size > 0) break;
          this.#endSession('ended by the daemon');
          this.#announce();
        }
        break;
      case 'end-peer':
        if (this.#driver?.peer === message.peer) {
          this.#endSession('the peer is turned out');
          this.#announce();
        }
        break;
      case 'message':
        this.#driver?.say(message.bytes);
        break;
      case 'strand':
      case 'own':
      case 'published':
      case 'routes':
        // A relay's only.
        break;
      case 'status':
        this.#context.post({ type: 'status', call: message.call, status: this.#status() });
        break;
    }
  }

  #install(install: KidInstall): void {
    this.#refusals = 0;
    if (this.#driver && install.sessionKey === this.#sessionKey) {
      this.#packets?.addKey(install);
      this.#caller?.renew(install);
      this.#driver.session.handleNewKey(this.#context.loop.nowMs);
      this.#driver.touch();
      return;
    }
    this.#endSession('a new session begins');
    const { loop, data } = this.#context;
    this.#sessionKey = install.sessionKey;
    this.#streamsMax = Math.min(limits.streamsMax, install.limits.streams);
    this.#opens = new OpenAllowance(install.limits.opensPerSecond ?? opensUntold, 1, loop.nowMs);
    const events: DriverEvents = {
      onPath: (path, suspect) => this.#onPathVerdict(path, suspect),
      onAnswered: (strand) => {
        this.#refusals = 0;
        this.#caller?.answered(strand);
        this.#reachDue = true;
      },
      onMessage: (bytes) => this.#context.post({ type: 'message', sessionKey: install.sessionKey, bytes }),
      onDatagram: (path, slab, start, length) => this.#packets?.driver?.receiveInStrand(path, slab, start, length),
      onStrandClosed: (strand, socket) => {
        // Under a key that was renewed meanwhile it says nothing.
        if (socket.endedByPeer && strand.recordsReceived === 0 && strand.oldMs === Infinity) this.#onRefused();
      },
      onOver: () => this.#onOver(),
    };
    const driver = new SessionDriver(
      'box',
      install.peer,
      loop,
      this.#pool,
      (stream) => this.#toLan(stream),
      this.#log,
      events,
      data.strandOldMs,
    );
    this.#driver = driver;
    this.#packets?.begin(driver, install.packets ?? defaultPacketPolicy);
    this.#packets?.addKey(install);
    this.#caller = new StrandCaller(driver, install, loop, data.mark, this.#log);
    this.#race.begin(loop.nowMs);
    this.#setPaths([...this.#paths.values()]);
    this.#reach.saw(loop.nowMs);
    this.#reachDue = true;
    this.#log('info', 'session begins', { peer: install.peer, cipher: install.cipher });
  }

  #setPaths(paths: readonly BoxPath[]): void {
    const old = this.#paths;
    this.#paths = new Map(paths.map((p) => [p.path, p]));
    this.#race.setPaths(paths, this.#context.loop.nowMs);
    const caller = this.#caller;
    if (!caller) return;
    caller.setPaths(this.#paths);
    this.#packets?.setPaths(this.#paths);
    for (const path of old.values()) {
      if (this.#paths.has(path.path)) continue;
      this.#closePath(path.path, 'path is gone');
      caller.dialer.forget(path.path);
    }
    for (const path of paths) this.#applyPath(path);
  }

  /** Tells session, dialer and relay how a path stands: configuration and carrier together. */
  #applyPath(path: BoxPath): void {
    const nowMs = this.#context.loop.nowMs;
    const up = path.enabled && this.#carriers.up(path.interface);
    const dialled = this.#race.wants(path.path);
    const session = this.#driver?.session;
    if (dialled || session?.paths.has(path.path)) {
      session?.handlePathState(path.path, up, path.metered, nowMs, this.#limitsOf(path));
    }
    this.#caller?.dialer.enable(path.path, up && dialled);
    if (!up) this.#closePath(path.path, path.enabled ? 'carrier lost' : 'uplink disabled');
    else if (!dialled) this.#closePath(path.path, 'another address of the relay answers');
    this.#driver?.touch();
  }

  /** An uplink's limit is shared by its paths, one for each address of the relay; those that are dead need no share. */
  #limitsOf(path: BoxPath): PathLimits {
    const { downBps = 0, upBps = 0 } = path.rateLimit ?? {};
    let sharers = 0;
    for (const other of this.#paths.values()) {
      const known = this.#driver?.session.paths.get(other.path);
      if (other.uplink === path.uplink && known?.usable === true && known.answered) sharers++;
    }
    return { downBps: downBps / Math.max(1, sharers), upBps: upBps / Math.max(1, sharers) };
  }

  /** Which paths share a limit changes with their lives. */
  #shareLimits(): void {
    for (const path of this.#paths.values()) if (path.rateLimit) this.#applyPath(path);
  }

  #closePath(id: number, reason: string): void {
    this.#caller?.abandon(id);
    const strands = this.#driver?.session.paths.get(id)?.strands ?? [];
    for (const strand of strands.slice()) this.#driver?.closeStrand(strand, reason);
  }

  #onCarrier(ifname: string, up: boolean): void {
    this.#networkChanged = true;
    for (const path of this.#paths.values()) {
      if (path.interface !== ifname) continue;
      this.#log(up ? 'info' : 'warn', up ? 'carrier is back' : 'carrier lost', { uplink: path.uplink });
      this.#applyPath(path);
    }
  }

  #onPathVerdict(id: number, suspect: boolean): void {
    const path = this.#paths.get(id);
    const rttMs = Math.round(this.#driver?.session.paths.get(id)?.rttMs ?? 0);
    if (suspect) this.#log('warn', 'uplink is silent while others are heard', { uplink: path?.uplink ?? id, rttMs });
    else this.#log('info', 'uplink is heard again', { uplink: path?.uplink ?? id, rttMs });
  }

  /**
   * What is begun as a stream is bound to the relay. So while the relay is in doubt connections are held, and those that have
   * waited in vain, of which nothing has left the box, go on without it.
   */
  #onConnection(fd: number, dialled: SocketAddress): void {
    this.#counters.intercepted++;
    if (this.#driver && this.#reach.state === 'yes') this.#open(this.#driver, fd, dialled);
    else if (this.#reach.state === 'no') this.#goDirectly(fd, dialled);
    else if (this.#held.length < heldMax) this.#held.push({ fd, dialled });
    else this.#refuse(fd);
  }

  #goDirectly(fd: number, dialled: SocketAddress): void {
    const source = this.#direct[dialled.address.includes(':') ? 6 : 4];
    if (source) this.#pump.begin(fd, dialled, source);
    else this.#refuse(fd);
  }

  /**
   * Streams the relay has never acknowledged are reset: their clients have not had a byte, and what they try again goes
   * directly. They are not sent on behind their backs, for the relay may have passed on what they asked.
   */
  #refuseUnheard(): void {
    const driver = this.#driver;
    for (const stream of driver?.session.streams.values() ?? []) {
      if (!stream.opener || stream.openAcked || stream.dead || stream.receive.next > 0) continue;
      this.#counters.resetUnheard++;
      driver?.sockets.reset(stream, Reason.timeout);
      driver?.session.resetStream(stream, Reason.timeout, this.#context.loop.nowMs);
    }
  }

  #judgeReach(nowMs: number): void {
    const before = this.#reach.state;
    const turned = this.#reach.update(this.#driver?.session, nowMs);
    if (before === 'yes' && this.#reach.state === 'doubtful' && this.#driver) {
      this.#driver.session.probe(nowMs);
      this.#driver.touch();
    }
    if (turned) {
      const evidence = this.#reach.evidence(nowMs);
      this.#context.post({ type: 'reach', reached: this.#reach.state !== 'no', evidence });
      if (this.#reach.state === 'no') this.#refuseUnheard();
    }
    if (this.#held.length === 0 || this.#reach.state === 'doubtful') return;
    for (const { fd, dialled } of this.#held.splice(0)) {
      if (this.#reach.state === 'no') this.#goDirectly(fd, dialled);
      else if (this.#driver) this.#open(this.#driver, fd, dialled);
      else this.#refuse(fd);
    }
  }

  #open(driver: SessionDriver, fd: number, dialled: SocketAddress): void {
    if (driver.session.streams.size >= this.#streamsMax) {
      this.#refuse(fd);
      return;
    }
    if (!this.#opens.take(this.#context.loop.nowMs)) {
      // Too many for a moment: they wait for the next look.
      if (this.#held.length < heldMax) this.#held.push({ fd, dialled });
      else this.#refuse(fd);
      return;
    }
    const hints = hintsOf(fd, dialled.address);
    const stream = driver.session.openStream(targetOf(dialled), [], this.#context.loop.nowMs, hints);
    driver.sockets.adopt(stream, fd);
    driver.touch();
  }

  #refuse(fd: number): void {
    this.#counters.refusedWithoutSession++;
    closeWithReset(fd);
  }

  #onRefused(): void {
    this.#counters.openingsRefused++;
    this.#refusals++;
    const nowMs = this.#context.loop.nowMs;
    if (this.#refusals < refusalsMax || nowMs - this.#handshakeAskedMs < handshakeGapMs) return;
    this.#handshakeAskedMs = nowMs;
    this.#context.post({ type: 'handshake', reason: 'the relay refuses our key' });
  }

  #endSession(reason: string): void {
    if (!this.#driver) return;
    const driver = this.#driver;
    this.#driver = undefined;
    this.#caller?.end();
    this.#caller = undefined;
    this.#packets?.end();
    driver.end(reason);
    this.#log('warn', 'session ends', { reason });
  }

  #onOver(): void {
    this.#endSession('no line for too long');
    this.#announce();
    this.#context.post({ type: 'handshake', reason: 'no line for too long' });
  }

  /**
   * Draws an incarnation. Not only at the start: numbers of strands and streams begin anew with every session here, and a
   * relay that still has the old one must not take the new one for it.
   */
  #announce(): void {
    this.#context.post({ type: 'ready', incarnation: Buffer.from(randomBytes(16)).toString('hex') });
  }

  #sweep(): void {
    const nowMs = this.#context.loop.nowMs;
    this.#caller?.sweep(nowMs);
    this.#packets?.sweep(nowMs);
    this.#shareLimits();
    this.#pump.sweep(nowMs);
    this.#judgeReach(nowMs);
    this.#chooseAddresses(nowMs);
    if (++this.#sweeps % sweepsPerTrim === 0) this.#pool.trim();
  }

  #chooseAddresses(nowMs: number): void {
    const session = this.#driver?.session;
    if (!session) return;
    const answers = (id: number): boolean => {
      const path = session.paths.get(id);
      return path !== undefined && path.usable && path.answered;
    };
    for (const id of this.#race.update(answers, nowMs)) {
      const path = this.#paths.get(id);
      if (path) this.#applyPath(path);
    }
  }

  #afterBatch(): void {
    // Changes come in swarms (a routing daemon, containers): they are told once a turn.
    if (this.#networkChanged) {
      this.#networkChanged = false;
      this.#context.post({ type: 'network' });
    }
    if (this.#reachDue) {
      this.#reachDue = false;
      this.#judgeReach(this.#context.loop.nowMs);
    }
    this.#caller?.dial(this.#context.loop.nowMs);
    this.#driver?.afterBatch();
    this.#packets?.afterBatch();
  }

  /** A path with what only this side knows of it. */
  #told(path: PathStatus): PathStatus {
    const relayAddress = this.#paths.get(path.path)?.relayAddress;
    const connectFault = this.#caller?.faultOf(path.path);
    return Object.assign(
      path,
      relayAddress !== undefined && { relayAddress },
      connectFault !== undefined && { connectFault },
    );
  }

  #status(): EngineStatus {
    const session = this.#driver?.status((id) => this.#paths.get(id)?.uplink);
    const told = session && { ...session, paths: session.paths.map((path) => this.#told(path)) };
    const complete = told && (this.#packets?.driver?.completed(told) ?? told);
    return {
      sessions: complete ? [complete] : [],
      counters: {
        ...this.#counters,
        ...this.#pump.counters,
        ...this.#packets?.counters,
        held: this.#held.length,
        memoryBytes: this.#pool.usedBytes,
        memoryUnusedBytes: this.#pool.unusedBytes,
      },
    };
  }
}

runWorker<ToWorker, FromWorker, BoxWorkerData>((context) => {
  try {
    const plane = new BoxPlane(context);
    plane.start();
  } catch (error) {
    context.post({ type: 'unready', reason: sentenceOf(error) });
    throw error;
  }
});
