import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';

import {
  type Agreement,
  givenUp,
  type Identity,
  kernelWishes,
  type Log,
  preferredCiphers,
  readPeerMessage,
  Reception,
  reportSession,
  sayGoodbye,
  SlowWarnings,
  softwareVersion,
  type StateDirectory,
  writePeerMessage,
} from '@tresse/daemon';
import {
  type EnginePlace,
  type EngineStatus,
  type InnerAddresses,
  localLimits,
  type RelayEngine,
  startRelayEngine,
} from '@tresse/engine';
import { BugError, sentenceOf, UserError } from '@tresse/kit';
import { adviseRelayFirewall, readDroppingChains } from '@tresse/plan';
import {
  type BoxesAnswer,
  type DaemonStatus,
  type PairAnswer,
  type PairRequest,
  type PeerMessage,
  type Publication,
  type RelayConfig,
  type UnpublishRequest,
  writePairingCode,
} from '@tresse/schema';
import { readRuleset, readSysctl } from '@tresse/sys';

import { Attendance } from './attendance.ts';
import { GuestList } from './guest-list.ts';
import { LanRoutes } from './lan-routes.ts';
import { lookAround, Outlook, type Surroundings } from './outlook.ts';
import { ownPublicAddresses } from './public-addresses.ts';
import { type ListedPort, PublicationList } from './publication-list.ts';
import { Publisher } from './publisher.ts';
import { Register } from './register.ts';
import { Sessions } from './sessions.ts';
import { tunnelMessage, Tunnels } from './tunnels.ts';
import { workerCount } from './worker-count.ts';

/** Warnings kept for the status. */
const warningsMax = 8;
/** Who is there is looked at this often, and written down every so many looks: "last seen" need not be exact. */
const lookMs = 60_000;
const looksPerFlush = 10;
const tokenBytes = 16;

const noStatus: EngineStatus = { sessions: [], counters: {} };

/** A relay at work: its engine carries the bytes, this lets boxes in. */
export class Relay {
  readonly #config: RelayConfig;
  readonly #identity: Identity;
  readonly #log: Log;
  readonly #startedAtMs = performance.now();
  readonly #sessions = new Sessions();
  readonly #register: Register;
  readonly #guests: GuestList;
  readonly #attendance = new Attendance();
  readonly #reception: Reception;
  readonly #tunnels: Tunnels;
  readonly #publisher: Publisher;
  readonly #routes: LanRoutes;
  readonly #warnings: string[] = [];
  readonly #firewall: SlowWarnings;
  #looking: NodeJS.Timeout | undefined;
  #looks = 0;
  #engine: RelayEngine | undefined;
  #outlook: Outlook | undefined;
  #stopping = false;

  constructor(config: RelayConfig, identity: Identity, directory: StateDirectory, log: Log) {
    this.#config = config;
    this.#identity = identity;
    this.#log = log;
    this.#register = new Register(directory);
    this.#guests = new GuestList(config.boxes, this.#register);
    this.#routes = new LanRoutes(config.routes, this.#guests);
    this.#tunnels = new Tunnels(config, identity.pin, directory, log, {
      ports: () => this.#publisher.ports(),
      routes: () => this.#routes.forKernel(),
      networks: () => this.#routes.networks,
    });
    this.#publisher = new Publisher(
      config.listen.addresses,
      new PublicationList(config, directory, this.#guests),
      {
        engine: () => this.#engine,
        refreshNetwork: async () => {
          if (this.#tunnels.ports) await this.#tunnels.refresh();
        },
        tell: (pin, message) => this.#tell(pin, message),
        tunnelFault: () => this.#tunnels.warning,
      },
      log,
    );
    this.#firewall = new SlowWarnings(async () => {
      const chains = readDroppingChains(await readRuleset());
      const published = this.#publisher.listed();
      return adviseRelayFirewall(chains, config.listen.port, config.tunnel, published).map((one) => one.sentence);
    });
    this.#reception = new Reception(
      identity,
      {
        welcome: (pin) => this.#guests.welcome(pin),
        pair: (pin, token) => this.#guests.pair(pin, token, Date.now()),
        terms: (pin) => {
          const place = this.#place(pin);
          return (
            place && {
              ...place,
              limits: { ...localLimits, frames: [...localLimits.frames] },
              ciphers: preferredCiphers(),
              software: softwareVersion(),
            }
          );
        },
        admit: (agreement, remote) => this.#admit(agreement, remote.address),
      },
      log,
    );
  }

  /** Starts the engine. Throws UserError `PORT_IN_USE`, SystemErrors of the engine. */
  async start(): Promise<void> {
    const { addresses, port } = this.#config.listen;
    const surroundings = await lookAround();
    // One socket for both families, where the kernel has both.
    const any = readSysctl('net.ipv6.bindv6only') === undefined ? '0.0.0.0' : '::';
    const listen = addresses.map((address) => ({ address: address === 'any' ? any : address, port }));
    const workers = workerCount(this.#config.workers, availableParallelism());
    if (this.#config.tunnel) await this.#tunnels.open(listen, workers);
    const { ports: packetPorts } = this.#tunnels;
    this.#engine = startRelayEngine(
      {
        listen,
        allowPrivate: this.#config.allowPrivate,
        ownAddresses: surroundings.own,
        workers,
        ...(packetPorts && { packetPorts }),
      },
      {
        onReady: (incarnation, generation) => {
          this.#log.info('the data plane runs', { incarnation, generation });
        },
        onLog: (level, text, fields) => this.#log.at(level, text, fields),
        onTlsConnection: (fd, remote) => this.#reception.adopt(fd, remote),
        onPeerMessage: (sessionKey, bytes) => {
          const message = readPeerMessage(bytes);
          if (message) this.#hear(message, sessionKey);
        },
        onFault: (stack, count, restartInMs) => {
          this.#log.error('the data plane failed', { stack, count });
          if (restartInMs === undefined && this.#looking && !this.#stopping) throw givenUp();
        },
      },
    );
    try {
      await this.#engine.ready;
    } catch (error) {
      await this.#engine.stop();
      await this.#tunnels.close();
      if (!sentenceOf(error).includes('EADDRINUSE')) throw error;
      throw new UserError(
        'PORT_IN_USE',
        `TCP port ${port} is in use: does another relay run? (${sentenceOf(error)})`,
        error,
      );
    }
    this.#engine.setRoutes(this.#routes.forEngine());
    await this.#publisher.apply().catch((error: unknown) => {
      this.#log.warn('published ports are not set up', { reason: sentenceOf(error) });
    });
    this.#log.info('the relay listens', { port, pin: this.#identity.pin, boxes: this.#guests.size });
    this.#outlook = new Outlook(surroundings, (now) => this.#lookedAround(now));
    this.#looking = setInterval(() => {
      this.#look().catch((error: unknown) =>
        this.#log.warn('boxes.json is not current', { reason: sentenceOf(error) }),
      );
    }, lookMs);
  }

  /** A box says something: of a stranger's making, but whole and well-formed. */
  #hear(message: PeerMessage, sessionKey: string): void {
    if (message.kind === 'bye') {
      this.#log.info('a box says goodbye', { reason: message.reason });
      this.#sessions.leave(sessionKey);
      this.#engine?.endSession(sessionKey);
    } else if (message.kind === 'lan') {
      const pin = this.#sessions.pinOf(sessionKey);
      if (pin === undefined) return;
      this.#publisher.noteLan(pin, message.networks);
      if (this.#routes.noteReachable(pin, message.reachable)) this.#routeAnew();
    }
  }

  /** Engine and kernel learn the routes that hold now. */
  #routeAnew(): void {
    this.#engine?.setRoutes(this.#routes.forEngine());
    if (this.#tunnels.ports) this.#refreshNetwork();
  }

  #refreshNetwork(): void {
    this.#tunnels.refresh().catch((error: unknown) => {
      this.#log.warn('the network is not set up for tunnels', { reason: sentenceOf(error) });
    });
  }

  /** Says something to a box, where its session is there. */
  #tell(pin: string, message: PeerMessage): void {
    const key = this.#sessions.keyOf(pin);
    if (key !== undefined) this.#engine?.tellPeers(writePeerMessage(message), key);
  }

  /** The machine has other addresses or routes: streams must not lead to the former, boxes are told of the latter. */
  #lookedAround(now: Surroundings): void {
    this.#log.info('the network around the relay is another', {
      addresses: now.own.join(' '),
      ipv4: now.ipv4,
      ipv6: now.ipv6,
    });
    this.#engine?.setOwnAddresses(now.own);
    if (this.#tunnels.ports) this.#refreshNetwork();
    this.#engine?.tellPeers(egressMessage(now));
  }

  /** Ends every session and frees the port. */
  async stop(): Promise<void> {
    this.#outlook?.stop();
    this.#stopping = true;
    clearInterval(this.#looking);
    this.#reception.close();
    this.#flush();
    if (this.#engine) await sayGoodbye(this.#engine, 'the relay stops');
    await this.#engine?.stop();
    this.#publisher.close();
    await this.#tunnels.close();
  }

  async status(): Promise<DaemonStatus> {
    const engine = await this.#engineStatus();
    const { sessions } = engine;
    const here = connected(engine);
    return {
      kind: 'relay',
      version: softwareVersion(),
      pin: this.#identity.pin,
      uptimeS: Math.round((performance.now() - this.#startedAtMs) / 1000),
      summary: `${here.size} of ${this.#guests.size} boxes connected`,
      uplinks: [],
      published: this.#publisher.status(engine.published ?? [], here),
      routes: this.#routes.status(here),
      sessions: sessions.map((one) => reportSession(one, 'up', this.#guests.nameOf(one.peer))),
      counters: { ...engine.counters, ...prefixed('handshakes', this.#reception.counters) },
      warnings: [
        ...(this.#guests.size === 0 ? ['no box is known: let one in by "tresse relay pair"'] : []),
        ...this.#warnings,
        ...(this.#tunnels.warning === undefined ? [] : [this.#tunnels.warning]),
        ...(await this.#firewall.sentences(performance.now())),
        ...kernelWishes(),
      ],
    };
  }

  /** A pairing code for one box. Throws UserError `NAME_TAKEN`, `NO_PUBLIC_ADDRESS`, `CODES_MANY`, `STATE_UNWRITABLE`. */
  async pair({ name, validMs }: PairRequest): Promise<PairAnswer> {
    if (name !== undefined) this.#guests.requireFree(name);
    const remedy = 'write "public: [ADDRESS]" into relay.yaml and restart the relay';
    const addresses = this.#config.public ?? (await ownPublicAddresses(remedy));
    const { port } = this.#config.listen;
    const token = randomBytes(tokenBytes).toString('base64url');
    const code = writePairingCode({ addresses, port, pin: this.#identity.pin, token });
    if (code === undefined) throw new BugError('PAIRING_CODE', 'addresses, port, pin or token fit into no code');
    const nowMs = Date.now();
    this.#register.expect(token, name, nowMs + validMs, nowMs);
    this.#log.info('a pairing code was made', { name, validS: Math.round(validMs / 1000) });
    return { code, expiresAtMs: nowMs + validMs, addresses, port };
  }

  /** Leads a port to a box's LAN. Throws UserErrors as {@link Publisher.publish}. */
  publish(wanted: Publication): Promise<void> {
    return this.#publisher.publish(wanted);
  }

  /** Takes a port back. Throws UserErrors as {@link Publisher.unpublish}. */
  unpublish(wanted: UnpublishRequest): Promise<ListedPort[]> {
    return this.#publisher.unpublish(wanted);
  }

  /** Every box this relay knows, and who of them is there. */
  async boxes(): Promise<BoxesAnswer> {
    const here = await this.#look();
    const boxes = this.#guests.all().map((box) => {
      const attended = this.#attendance.of(box.pin);
      const isHere = here.has(box.pin);
      return Object.assign(
        box,
        { connected: isHere },
        attended && { address: attended.address, lastSeenMs: attended.lastSeenMs },
        attended && isHere && { connectedSinceMs: attended.sinceMs },
      );
    });
    return { nowMs: Date.now(), boxes };
  }

  /** Throws UserErrors as {@link GuestList.rename}. */
  rename(from: string, to: string): void {
    this.#guests.rename(from, to);
    this.#log.info('a box has another name', { box: to, before: from });
  }

  /** Puts a box out: its session and streams end at once. Throws UserErrors as {@link GuestList.revoke}. */
  revoke(name: string): void {
    const pin = this.#guests.revoke(name, Date.now());
    this.#engine?.endPeer(pin);
    this.#sessions.forget(pin);
    this.#attendance.forget(pin);
    this.#publisher.forget(pin);
    this.#routes.forget(pin);
    this.#routeAnew();
    this.#log.warn('a box was revoked', { box: name, pin });
  }

  /** Returns the pins of the boxes that are there. */
  async #look(): Promise<ReadonlySet<string>> {
    const here = connected(await this.#engineStatus());
    const nowMs = Date.now();
    await this.#publisher.retry();
    this.#attendance.look(here, nowMs);
    for (const pin of here) this.#register.seen(pin, nowMs, this.#attendance.of(pin)?.address);
    if (++this.#looks % looksPerFlush === 0) this.#flush();
    return here;
  }

  #flush(): void {
    try {
      this.#register.flush(Date.now());
    } catch (error) {
      this.#warn(`when boxes were last seen is not kept (${sentenceOf(error)})`);
    }
  }

  /** Nothing while the data plane starts anew. */
  async #engineStatus(): Promise<EngineStatus> {
    return (await this.#engine?.status().catch(() => noStatus)) ?? noStatus;
  }

  /** Where a box's session is to be; undefined while the data plane starts or ends. */
  #place(pin: string): EnginePlace | undefined {
    return this.#stopping ? undefined : this.#engine?.place(pin);
  }

  async #admit(agreement: Agreement, address: string): Promise<string | undefined> {
    const { peerPin: pin, peerIncarnation: incarnation } = agreement;
    const name = this.#guests.nameOf(pin);
    const place = this.#place(pin);
    if (!place || !this.#engine) throw new UserError('NOT_READY', 'the data plane does not run');
    const arrival = this.#sessions.arrive({ pin, name, incarnation, address }, place.incarnation, performance.now());
    if (arrival.warning !== undefined) this.#warn(arrival.warning);
    const inner = this.#tunnels.addressesOf(pin, place.worker);
    this.#publisher.noteInner(pin, inner);
    if (this.#routes.noteArrival(pin, place.worker, inner)) this.#routeAnew();
    await this.#engine.installKid({
      kid: agreement.kid,
      secret: agreement.secret,
      cipher: agreement.cipher,
      limits: agreement.limits,
      sessionKey: arrival.sessionKey,
      peer: pin,
      ...(inner && { inner }),
      ...(agreement.packets && { packets: agreement.packets }),
      // A handshake is let in and its key installed in one go, so what is revoked after this line finds the key.
      revision: this.#engine.revisionOf(pin),
    });
    agreement.secret.fill(0);
    if (arrival.isNew) this.#introduce(pin, arrival.sessionKey, inner);
    this.#attendance.arrive(pin, address, arrival.isNew, Date.now());
    this.#log.info(arrival.isNew ? 'a box is connected' : 'a box renewed its keys', {
      box: name,
      address,
      cipher: agreement.cipher,
      group: agreement.group,
      software: agreement.peerSoftware,
    });
    return arrival.elsewhere;
  }

  /** What a box hears when its session begins, in this order. */
  #introduce(pin: string, sessionKey: string, inner: InnerAddresses | undefined): void {
    if (inner) this.#engine?.tellPeers(writePeerMessage(tunnelMessage(inner)), sessionKey);
    if (this.#outlook) this.#engine?.tellPeers(egressMessage(this.#outlook.now), sessionKey);
    for (const message of [this.#publisher.messageFor(pin), this.#routes.messageFor(pin)]) {
      this.#engine?.tellPeers(writePeerMessage(message), sessionKey);
    }
  }

  #warn(sentence: string): void {
    this.#log.warn(sentence);
    if (this.#warnings.includes(sentence)) return;
    this.#warnings.push(sentence);
    if (this.#warnings.length > warningsMax) this.#warnings.shift();
  }
}

/** The peers whose lines are there. */
function connected(status: EngineStatus): ReadonlySet<string> {
  return new Set(status.sessions.flatMap((one) => (one.paths.length > 0 ? [one.peer] : [])));
}

function egressMessage({ ipv4, ipv6 }: Surroundings): Uint8Array {
  return writePeerMessage({ kind: 'egress', ipv4, ipv6 });
}

function prefixed(prefix: string, counters: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counters).map(([name, count]) => [`${prefix}.${name}`, count]));
}
