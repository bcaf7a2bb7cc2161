import {
  givenUp,
  type Identity,
  kernelWishes,
  type Log,
  Network,
  preferredCiphers,
  readPeerMessage,
  type RelayAgreement,
  reportSession,
  sayGoodbye,
  SlowWarnings,
  softwareVersion,
  type StateDirectory,
  writePeerMessage,
} from '@tresse/daemon';
import { type BoxEngine, type EngineStatus, localLimits, startBoxEngine } from '@tresse/engine';
import { sentenceOf, UserError } from '@tresse/kit';
import {
  adviseBoxFirewall,
  desiredState,
  engineMark,
  forwardsIpv6,
  interceptPort,
  readDroppingChains,
  type ResolvedUplink,
  resolveUplinks,
  sysctlsWanted,
  treatPackets,
} from '@tresse/plan';
import type { BoxConfig, DaemonStatus, PeerMessage } from '@tresse/schema';
import { readRuleset } from '@tresse/sys';

import { clockWarning } from './clock.ts';
import { DirectFlows } from './direct-flows.ts';
import { Health, type UplinkView } from './health.ts';
import { bestPath, linePath, linesUp } from './line-paths.ts';
import { NewConnections } from './new-connections.ts';
import { PathNumbers } from './path-numbers.ts';
import { Rekeying } from './rekeying.ts';
import { RelaySide } from './relay-side.ts';
import { Rendezvous } from './rendezvous.ts';
import { Tunnel } from './tunnel.ts';
import { unreachedBy } from './unreached.ts';

/** Events of the kernel come in bunches. */
const settleMs = 30;
/** Verdicts are looked at this often, and the kernel itself every so many looks, in case an event was lost. */
const lookMs = 1_000;
const looksPerRefresh = 5;

const noStatus: EngineStatus = { sessions: [], counters: {} };

/** A box at work: wires the engine, the network's set-up and the handshakes together. */
export class Box {
  readonly #config: BoxConfig;
  readonly #identity: Identity;
  readonly #log: Log;
  readonly #network: Network;
  readonly #health: Health;
  readonly #connections: NewConnections;
  readonly #flows: DirectFlows;
  readonly #tunnel: Tunnel;
  readonly #relaySide: RelaySide;
  readonly #rendezvous: Rendezvous;
  readonly #rekeying: Rekeying;
  readonly #numbers = new PathNumbers();
  readonly #warnings = new Map<string, string>();
  readonly #firewall: SlowWarnings;
  readonly #startedAtMs = performance.now();
  #engine: BoxEngine | undefined;
  #incarnation: string | undefined;
  #session: { key: string; uplink: string } | undefined;
  #outBecause: string | undefined;
  #uplinks: readonly ResolvedUplink[] = [];
  #paths = '';
  #latest: EngineStatus = noStatus;
  #handshakes = 0;
  #settling: NodeJS.Timeout | undefined;
  #looking: NodeJS.Timeout | undefined;
  #looks = 0;
  #started = false;
  #stopped = false;

  /** `rekeyEveryMs`: for tests, which cannot wait for hours. */
  constructor(config: BoxConfig, identity: Identity, directory: StateDirectory, log: Log, rekeyEveryMs?: number) {
    this.#config = config;
    this.#identity = identity;
    this.#log = log;
    this.#network = new Network(directory, log);
    this.#health = new Health(log);
    this.#firewall = new SlowWarnings(async () => {
      const chains = readDroppingChains(await readRuleset());
      return adviseBoxFirewall(chains, config.lan.interfaces).map((one) => one.sentence);
    });
    this.#rekeying = new Rekeying(rekeyEveryMs, () => this.#rendezvous.want('keys are due', 'calm'));
    this.#flows = new DirectFlows(log);
    this.#tunnel = new Tunnel(log);
    this.#relaySide = new RelaySide(config);
    this.#connections = new NewConnections(config.withoutRelay, log);
    this.#rendezvous = new Rendezvous(
      config,
      identity,
      {
        uplinks: () => this.#uplinks,
        offer: () =>
          this.#incarnation === undefined
            ? undefined
            : {
                incarnation: this.#incarnation,
                limits: { ...localLimits, frames: [...localLimits.frames] },
                ciphers: preferredCiphers(),
                software: softwareVersion(),
                packets: config.packets,
              },
        agreed: (agreement, uplink) => this.#agreed(agreement, uplink),
        putOut: (sentence) => this.#endSession(sentence),
      },
      log,
    );
  }

  /** Starts the engine, then sets the network up, then goes for the relay. Throws UserError `PORT_IN_USE`, SystemErrors. */
  async start(): Promise<void> {
    if (this.#knowsRelay) this.#tunnel.open();
    const { fd: tunFd } = this.#tunnel;
    this.#engine = startBoxEngine(
      {
        interceptPort,
        mark: engineMark,
        strandOldMs: this.#rekeying.strandOldMs,
        ...(tunFd !== undefined && { tunFd }),
      },
      {
        onReady: (incarnation) => this.#ready(incarnation),
        onLog: (level, text, fields) => this.#log.at(level, text, fields),
        onHandshakeWanted: (reason) => this.#rendezvous.want(reason),
        onPeerMessage: (sessionKey, bytes) => {
          const message = readPeerMessage(bytes);
          if (message) this.#hear(message, sessionKey);
        },
        onPacketsCarried: (carried) => {
          this.#tunnel.noteCarried(carried);
          this.#refreshSoon();
        },
        onReach: (reached, evidence) => {
          this.#connections.noteReach(reached, evidence);
          this.#refreshSoon();
        },
        onNetworkChanged: () => this.#networkChanged(),
        onFault: (stack, count, restartInMs) => {
          this.#incarnation = undefined;
          this.#connections.noteReach(true, 'the data plane starts anew');
          this.#log.error('the data plane failed', { stack, count });
          if (restartInMs === undefined && this.#started && !this.#stopped) throw givenUp();
        },
      },
    );
    try {
      await this.#engine.ready;
    } catch (error) {
      // What is in the kernel may be that of a box which runs: it is not ours to take back.
      await this.#engine.stop();
      this.#tunnel.close();
      if (!sentenceOf(error).includes('EADDRINUSE')) throw error;
      const sentence = `TCP port ${interceptPort} is in use: does another box run? (${sentenceOf(error)})`;
      throw new UserError('PORT_IN_USE', sentence, error);
    }
    try {
      await this.#refresh();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#started = true;
    if (!this.#knowsRelay) {
      this.#warn(
        'pairing',
        'pair this box: "tresse relay pair" at the relay makes a code, "tresse box pair CODE" uses it',
      );
    }
    this.#rendezvous.want('the box starts');
    this.#scheduleLook();
  }

  /** Ends every stream, and takes back everything of ours. Throws SystemError `NETWORK_LEFT`. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#settling);
    clearTimeout(this.#looking);
    this.#rekeying.stop();
    await this.#rendezvous.stop();
    if (this.#engine) await sayGoodbye(this.#engine, 'the box stops');
    // The engine first: its clients get their resets while their packets still come here.
    await this.#engine?.stop();
    await this.#network.tearDown();
    this.#tunnel.close();
  }

  /** The relay may take this box now: no use in waiting. */
  hurry(): void {
    this.#rendezvous.hurry();
  }

  async status(): Promise<DaemonStatus> {
    this.#latest = await this.#engineStatus();
    // The words are of the same moment as the figures.
    if (this.#judge()) this.#refreshSoon();
    const sessions = this.#latest.sessions.map((one) => reportSession(one, 'down', one.peer));
    const paths = sessions.flatMap((one) => one.paths);
    return {
      kind: 'box',
      version: softwareVersion(),
      pin: this.#identity.pin,
      uptimeS: Math.round((performance.now() - this.#startedAtMs) / 1000),
      summary: this.#summary(linesUp(paths)),
      tunnel: this.#tunnel.wordOf(this.#connections.reached),
      uplinks: this.#uplinks.map((uplink) => {
        const path = linePath(paths, uplink.name);
        return {
          name: uplink.name,
          interface: uplink.interface,
          kind: uplink.kind,
          ...this.#health.verdictOf(uplink.name),
          direct: Object.values(this.#health.direct).includes(uplink.name),
          addresses: uplink.addresses.map(({ address, gateway }) =>
            gateway === undefined ? { address } : { address, gateway },
          ),
          ...(path && { path }),
        };
      }),
      published: this.#relaySide.status(this.#connections.reached),
      routes: this.#relaySide.routes(this.#connections.reached),
      sessions,
      counters: { ...this.#latest.counters, handshakes: this.#handshakes },
      warnings: [
        ...this.#warnings.values(),
        ...given(this.#tunnel.warning(this.#connections.reached)),
        ...(await this.#firewall.sentences(performance.now())),
        ...kernelWishes(),
      ],
    };
  }

  get #knowsRelay(): boolean {
    return this.#config.relay.addresses.length > 0;
  }

  #summary(up: number): string {
    if (this.#incarnation === undefined) return 'the data plane is starting';
    const cause = this.#knowsRelay ? 'the relay is not reached' : 'no relay is known';
    const without = this.#connections.summary(cause);
    if (without !== undefined) return without;
    if (!this.#knowsRelay) return cause;
    const lines = `${up} of ${this.#config.uplinks.filter((one) => one.enabled).length} lines`;
    if (this.#outBecause !== undefined) return this.#outBecause;
    if (this.#rendezvous.pending && !this.#session) return 'looking for the relay';
    if (this.#rendezvous.pending) return `bonding over ${lines}, renewing keys with the relay`;
    return up > 0 ? `bonding over ${lines}` : 'the relay is known, no line reaches it now';
  }

  /** The engine runs anew: sessions, keys and path numbers of before are gone with it. */
  #ready(incarnation: string): void {
    this.#incarnation = incarnation;
    this.#session = undefined;
    this.#numbers.restart();
    this.#paths = '';
    this.#log.info('the data plane runs', { incarnation });
    if (!this.#started) return;
    this.#setPaths();
    this.#rendezvous.want('the data plane was restarted');
  }

  async #agreed(agreement: RelayAgreement, uplink: string): Promise<void> {
    const { peerPin, peerIncarnation } = agreement;
    const key = `${peerPin} ${this.#incarnation} ${peerIncarnation}`;
    this.#judgeClock(agreement.relayTimeMs);
    this.#judgeTwin(agreement.elsewhere);
    const isNew = this.#session?.key !== key;
    // Before the key is there: with it comes what the relay says.
    if (isNew) {
      this.#tunnel.begin();
      this.#relaySide.begin();
    }
    await this.#engine?.installKid({
      kid: agreement.kid,
      secret: agreement.secret,
      cipher: agreement.cipher,
      limits: agreement.limits,
      sessionKey: key,
      peer: peerPin,
      packets: this.#config.packets,
    });
    agreement.secret.fill(0);
    if (isNew) this.#engine?.tellPeers(writePeerMessage(this.#relaySide.message), key);
    this.#outBecause = undefined;
    this.#session = { key, uplink };
    this.#handshakes++;
    this.#log.info(isNew ? 'the relay is reached' : 'keys are renewed', {
      uplink,
      cipher: agreement.cipher,
      group: agreement.group,
      software: agreement.peerSoftware,
    });
    if (!this.#stopped) this.#rekeying.begin();
  }

  /** The relay says something: of a stranger's making, but whole and well-formed. */
  #hear(message: PeerMessage, sessionKey: string): void {
    switch (message.kind) {
      case 'bye':
        this.#log.warn('the relay says goodbye', { reason: message.reason });
        this.#engine?.endSession(sessionKey);
        this.#rendezvous.want('the relay said goodbye');
        break;
      case 'egress':
        if (this.#connections.noteEgress({ 4: message.ipv4, 6: message.ipv6 })) this.#refreshSoon();
        if (this.#tunnel.noteHeardOut()) this.#refreshSoon();
        break;
      case 'published':
        this.#relaySide.notePorts(message);
        this.#refreshSoon();
        break;
      case 'routes':
        this.#relaySide.noteRoutes(message.networks);
        this.#refreshSoon();
        break;
      case 'lan':
        // A relay has none.
        break;
      case 'tunnel':
      default:
        this.#tunnel.noteAddresses(message).then(
          () => this.#refreshSoon(),
          (error: unknown) => this.#log.warn('the tunnel has no addresses', { reason: sentenceOf(error) }),
        );
    }
  }

  #judgeClock(relayTimeMs: number): void {
    const warning = clockWarning(Date.now() - relayTimeMs);
    if (warning === undefined) this.#warnings.delete('clock');
    else this.#warn('clock', warning);
  }

  /** The relay has ended the session already: clients shall not wait for a line that comes back. */
  #endSession(sentence: string): void {
    this.#outBecause = sentence;
    if (this.#session) this.#engine?.endSession(this.#session.key);
    this.#session = undefined;
  }

  #judgeTwin(elsewhere: string | undefined): void {
    if (elsewhere === undefined) {
      this.#warnings.delete('twin');
      return;
    }
    this.#warn(
      'twin',
      `another box with the identity of this one runs at ${elsewhere}, and each ends the other's connections: on one of ` +
        'the two, remove identity.pem from the state directory and pair it anew',
    );
  }

  #networkChanged(): void {
    if (this.#settling || this.#stopped) return;
    this.#settling = setTimeout(() => {
      this.#settling = undefined;
      this.#refreshSoon();
    }, settleMs);
  }

  #refreshSoon(): void {
    if (!this.#stopped) this.#refresh().catch((error: unknown) => this.#unread(error));
  }

  /** Looks at the machine, sets the network up, tells the engine its paths. */
  async #refresh(): Promise<void> {
    const before = this.#sending();
    const tunnel = this.#connections.reached ? this.#tunnel.state : 'none';
    this.#uplinks = await this.#network.refresh(sysctlsWanted(this.#config), (facts, sysctls) => {
      const uplinks = resolveUplinks(this.#config, facts);
      this.#health.judge(uplinks, (name) => this.#viewOf(name));
      if (this.#relaySide.look(facts, uplinks)) this.#tellLan();
      const { udp: published, behind } = this.#relaySide;
      const { direct } = this.#health;
      const choice = this.#connections.choose(uplinks, direct, forwardsIpv6(sysctls), treatPackets(tunnel));
      const wish = { config: this.#config, uplinks, sysctls, published, behind, ...choice };
      return { desired: desiredState(wish), result: uplinks };
    });
    if (this.#stopped) return;
    this.#tunnel.settle(tunnel);
    this.#setPaths();
    this.#engine?.setDirect(this.#connections.sources(this.#uplinks));
    this.#lookAtFlows();
    if (this.#sending() !== before) this.#rendezvous.hurry();
  }

  /** Other hosts of the LAN may be published now. */
  #tellLan(): void {
    this.#engine?.setLan(this.#relaySide.access);
    if (this.#session) this.#engine?.tellPeers(writePeerMessage(this.#relaySide.message), this.#session.key);
  }

  /** After the rules, so that what is forgotten finds the new way. */
  #lookAtFlows(): void {
    const states = this.#uplinks.map((one) => this.#viewOf(one.name).path?.state);
    const heard = states.includes('up');
    const silent = (name: string): boolean => heard && this.#viewOf(name).path?.state === 'suspect';
    this.#flows.look(this.#uplinks, silent, performance.now());
  }

  #sending(): string {
    return this.#uplinks
      .filter((one) => one.fault === undefined)
      .flatMap((one) => one.addresses.map(({ address }) => `${one.name} ${address}`))
      .join(',');
  }

  #setPaths(): void {
    const paths = this.#numbers.assign(this.#config, this.#uplinks);
    if (this.#numbers.scarce) this.#renewNumbers();
    if (!paths) {
      const many = 'a line came and went more than 250 times in this session';
      this.#warn('paths', `${many}: it is used again after a moment without connections, or when the box is restarted`);
      return;
    }
    this.#warnings.delete('paths');
    const text = JSON.stringify(paths);
    if (text === this.#paths) return;
    this.#paths = text;
    this.#engine?.setPaths(paths);
  }

  /** Numbers begin anew with a session: another one is begun in a moment without streams. Asked for until that comes. */
  #renewNumbers(): void {
    if (this.#session) this.#engine?.endSession(this.#session.key, true);
    else this.#numbers.restart();
  }

  #scheduleLook(): void {
    this.#looking = setTimeout(() => {
      this.#look()
        .catch((error: unknown) => this.#unread(error))
        .finally(() => {
          if (!this.#stopped) this.#scheduleLook();
        });
    }, lookMs);
  }

  async #look(): Promise<void> {
    this.#latest = await this.#engineStatus();
    this.#looks++;
    const changed = this.#judge();
    if (this.#stopped) return;
    if (changed || this.#looks % looksPerRefresh === 0) await this.#refresh();
    else this.#lookAtFlows();
  }

  /** Returns whether a direct uplink is another now. */
  #judge(): boolean {
    return this.#health.judge(this.#uplinks, (name) => this.#viewOf(name));
  }

  /** Nothing while the data plane starts anew. */
  async #engineStatus(): Promise<EngineStatus> {
    if (this.#incarnation === undefined || !this.#engine) return noStatus;
    return this.#engine.status().catch(() => noStatus);
  }

  #viewOf(name: string): UplinkView {
    const paths = this.#latest.sessions.flatMap((one) => one.paths);
    const path = bestPath(paths, name);
    if (path?.state === 'up') this.#rendezvous.forgetFault(name);
    const unreached = path && unreachedBy(path, this.#config.relay.port);
    return {
      path: path && { ...path, ...(unreached && { unreached }) },
      dialFault: this.#knowsRelay ? this.#rendezvous.faultOf(name) : 'no relay is known yet',
    };
  }

  #unread(error: unknown): void {
    if (!this.#stopped) this.#log.warn('the state of the machine could not be read', { reason: sentenceOf(error) });
  }

  #warn(key: string, sentence: string): void {
    if (this.#warnings.get(key) !== sentence) this.#log.warn(sentence);
    this.#warnings.set(key, sentence);
  }
}

const given = (sentence: string | undefined): string[] => (sentence === undefined ? [] : [sentence]);
