import type { Log } from '@tresse/daemon';
import {
  type InnerAddresses,
  openPublicPort,
  type PublishedPort,
  type PublishedStatus,
  type RelayEngine,
} from '@tresse/engine';
import { sentenceOf, UserError } from '@tresse/kit';
import type { RelayPorts } from '@tresse/plan';
import {
  type Family,
  ipFamily,
  ipWithin,
  lanHosts,
  portName,
  type Publication,
  type PublishedMessage,
  type PublishedPortStatus,
  type RelayConfig,
  type UnpublishRequest,
} from '@tresse/schema';
import { closeFd, EACCES, EADDRINUSE, ErrnoError } from '@tresse/sys';

import type { ListedPort, PublicationList } from './publication-list.ts';

/** What is needed of the rest of the relay. */
export interface PublisherWorld {
  /** Undefined while it starts. */
  engine(): Pick<RelayEngine, 'setPublished'> | undefined;
  /** The network is to be set up anew: {@link Publisher.ports} is another. Throws CommandError. */
  refreshNetwork(): Promise<void>;
  /** Tells the box with this pin, where it is there. */
  tell(pin: string, message: PublishedMessage): void;
  /** Why nothing goes through the tunnel; undefined where it does. */
  tunnelFault(): string | undefined;
}

const keyOf = ({ protocol, port }: Pick<ListedPort, 'protocol' | 'port'>): string => `${protocol} ${port}`;

/** Makes it so that public ports lead to LANs: opens them, and tells engine, kernel and boxes. */
export class Publisher {
  readonly #addresses: RelayConfig['listen']['addresses'];
  readonly #list: PublicationList;
  readonly #world: PublisherWorld;
  readonly #log: Log;
  /** Descriptors of open ports. */
  readonly #open = new Map<string, readonly number[]>();
  /** Why a port is not open, as half a sentence. */
  readonly #faults = new Map<string, string>();
  /** What boxes are called inside the tunnel, and the networks of their LANs, as far as they told. */
  readonly #inner = new Map<string, InnerAddresses>();
  readonly #lans = new Map<string, readonly string[]>();
  /** Boxes to whose LANs ports lead. */
  #served: ReadonlySet<string> = new Set();
  #last: Promise<unknown> = Promise.resolve();

  constructor(addresses: RelayConfig['listen']['addresses'], list: PublicationList, world: PublisherWorld, log: Log) {
    this.#addresses = addresses;
    this.#list = list;
    this.#world = world;
    this.#log = log;
  }

  /** Opens what is to be published and not open yet, and closes what is not any more. What cannot be opened is told by the status, and tried again by the next call. */
  apply(): Promise<void> {
    return this.#inTurn(() => this.#apply());
  }

  /** Tries again what could not be opened. */
  async retry(): Promise<void> {
    if (this.#faults.size > 0) await this.apply();
  }

  /** Publishes a port. Throws UserErrors of {@link PublicationList.requireFree} and `PORT_IN_USE`, `PORT_FORBIDDEN`, `HOST_NOT_LAN`: then nothing was changed. */
  publish(wanted: Publication): Promise<void> {
    return this.#inTurn(() => this.#publish(wanted));
  }

  /** Takes a port back: what is open goes on. Throws UserErrors of {@link PublicationList.remove}. */
  unpublish(wanted: UnpublishRequest): Promise<ListedPort[]> {
    return this.#inTurn(async () => {
      const gone = this.#list.remove(wanted);
      this.#log.info('a port was taken back', { port: wanted.port, protocol: wanted.protocol });
      await this.#apply();
      return gone;
    });
  }

  /** A box is out. Throws UserError `STATE_UNWRITABLE`. */
  forget(pin: string): void {
    this.#list.forget(pin);
    this.#inner.delete(pin);
    this.#lans.delete(pin);
    this.#applySoon();
  }

  /** A box is there, and is called so inside the tunnel. */
  noteInner(pin: string, inner: InnerAddresses | undefined): void {
    const before = this.#inner.get(pin);
    if (inner) this.#inner.set(pin, inner);
    else this.#inner.delete(pin);
    const isNews = before?.ipv4 !== inner?.ipv4 || before?.ipv6 !== inner?.ipv6 || !this.#served.has(pin);
    if (isNews && this.#list.all().some((one) => one.pin === pin)) this.#applySoon();
  }

  /** A box tells the networks of its LAN. */
  noteLan(pin: string, networks: readonly string[]): void {
    this.#lans.set(pin, networks);
  }

  /** What a box is to hear when its session begins. */
  messageFor(pin: string): PublishedMessage {
    const own = this.#list.all().filter((one) => one.pin === pin);
    return {
      kind: 'published',
      ports: own.map(({ protocol, port, to, from, clients }) => {
        return { protocol, port, to: [...to], from: [...from], clients };
      }),
    };
  }

  /** Every port, as {@link PublicationList.all}. */
  listed(): ListedPort[] {
    return this.#list.all();
  }

  /** What the kernel does with packets to published ports. */
  ports(): RelayPorts {
    const open = this.#list.all().filter((one) => this.#open.has(keyOf(one)));
    return {
      addresses: this.#addresses,
      tcp: open.filter(({ protocol }) => protocol === 'tcp').map(({ port, from }) => ({ port, from })),
      udp: open
        .filter(({ protocol }) => protocol === 'udp')
        .map(({ port, from, to, pin }) => ({ port, from, to: this.#innerFor(pin, to) })),
    };
  }

  /** Every port as it stands; `connected` are the pins of boxes that are there. */
  status(engine: readonly PublishedStatus[], connected: ReadonlySet<string>): PublishedPortStatus[] {
    return this.#list.all().map((one) => {
      const counted = one.protocol === 'tcp' ? engine.find(({ port }) => port === one.port) : undefined;
      const fault = this.#faultOf(one, connected) ?? counted?.failure;
      const { protocol, port, box, to, from, origin } = one;
      const where = { protocol, port, box, origin, to: [...to], from: [...from] };
      const how = { works: fault === undefined, reason: fault ?? openWords(one) };
      return Object.assign(where, how, counted && { streams: counted.streams });
    });
  }

  /** Closes everything; the engine has ended before. */
  close(): void {
    for (const key of this.#open.keys()) this.#close(key);
  }

  async #publish(wanted: Publication): Promise<void> {
    const ports = this.#list.requireFree(wanted);
    for (const one of ports) this.#requireLan(one);
    const opened: string[] = [];
    try {
      for (const one of ports) {
        this.#open.set(keyOf(one), openPort(one, this.#addresses));
        opened.push(keyOf(one));
      }
      this.#list.add(ports);
    } catch (error) {
      // Nobody has heard of these yet.
      for (const key of opened) this.#close(key);
      throw error;
    }
    this.#log.info('a port was published', { port: wanted.port, protocol: wanted.protocol, box: wanted.box });
    await this.#apply();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #apply(): Promise<void> {
    const listed = this.#list.all();
    for (const one of listed) this.#tryOpen(one);
    const keys = new Set(listed.map((one) => keyOf(one)));
    const surplus = [...this.#open.keys()].filter((key) => !keys.has(key));
    const ports = listed.flatMap((one) => this.#portOf(one));
    await this.#world.engine()?.setPublished(ports);
    for (const key of surplus) this.#close(key);
    for (const key of this.#faults.keys()) if (!keys.has(key)) this.#faults.delete(key);
    await this.#world.refreshNetwork();
    const served = new Set(listed.flatMap((one) => one.pin ?? []));
    for (const pin of new Set([...this.#served, ...served])) this.#world.tell(pin, this.messageFor(pin));
    this.#served = served;
  }

  #applySoon(): void {
    this.apply().catch((error: unknown) => {
      this.#log.warn('published ports are not set up', { reason: sentenceOf(error) });
    });
  }

  #tryOpen(one: ListedPort): void {
    const key = keyOf(one);
    if (this.#open.has(key)) return;
    try {
      this.#open.set(key, openPort(one, this.#addresses));
      this.#faults.delete(key);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (this.#faults.get(key) !== error.message) this.#log.warn('a port is not published', { reason: error.message });
      this.#faults.set(key, lowered(error.message));
    }
  }

  #portOf(one: ListedPort): PublishedPort[] {
    const fds = this.#open.get(keyOf(one));
    if (one.protocol !== 'tcp' || one.pin === undefined || !fds) return [];
    const targets = lanHosts(one.to, one.port);
    const showClients = one.clients === 'shown';
    return [{ port: one.port, peer: one.pin, fds, targets, from: one.from, showClients }];
  }

  #innerFor(pin: string | undefined, to: readonly string[]): Partial<Record<Family, string>> {
    const inner = this.#inner.get(pin ?? '');
    const hosts = lanHosts(to, 1);
    return {
      ...(hosts[4] && inner && { 4: inner.ipv4 }),
      ...(hosts[6] && inner?.ipv6 !== undefined && { 6: inner.ipv6 }),
    };
  }

  /** Throws UserError `HOST_NOT_LAN` where the box has told what its LAN is. */
  #requireLan(one: ListedPort): void {
    const sentence = this.#strangeHost(one);
    if (sentence !== undefined) throw new UserError('HOST_NOT_LAN', `${sentence}.`);
  }

  #strangeHost({ pin, box, to, port }: ListedPort): string | undefined {
    const networks = this.#lans.get(pin ?? '');
    if (!networks) return undefined;
    const strange = Object.values(lanHosts(to, port)).find(
      ({ address }) => !networks.some((network) => ipWithin(address, network)),
    );
    if (!strange) return undefined;
    const known = networks.join(', ') || 'none';
    return `${strange.address} is no host that ${box} lets be published (${known}; "publishable" in its box.yaml)`;
  }

  #faultOf(one: ListedPort, connected: ReadonlySet<string>): string | undefined {
    const fault = this.#faults.get(keyOf(one));
    if (fault !== undefined) return fault;
    if (one.pin === undefined) return `no box is called "${one.box}"`;
    const tunnelFault = one.protocol === 'udp' ? this.#world.tunnelFault() : undefined;
    if (tunnelFault !== undefined) return tunnelFault;
    if (!connected.has(one.pin)) return `${one.box} is not connected`;
    return this.#strangeHost(one);
  }

  #close(key: string): void {
    for (const fd of this.#open.get(key) ?? []) closeFd(fd);
    this.#open.delete(key);
  }
}

const lowered = (sentence: string): string => sentence.replace(/\.$/u, '');

/** That it works, and for whom. */
function openWords({ protocol, to }: ListedPort): string {
  const hosts = lanHosts(to, 1);
  if (protocol === 'tcp' || (hosts[4] && hosts[6])) return 'open';
  return `open by IPv${ipFamily((hosts[4] ?? hosts[6])?.address ?? '')} alone`;
}

/** Throws UserError `PORT_IN_USE`, `PORT_FORBIDDEN`, `PORT_ADDRESS`. */
function openPort({ protocol, port }: ListedPort, addresses: readonly string[]): number[] {
  const name = portName(protocol, port);
  try {
    return openPublicPort(protocol, addresses, port);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.errno === EADDRINUSE) {
      throw new UserError('PORT_IN_USE', `${name} is in use by another program of this machine.`, error);
    }
    if (error.errno === EACCES) {
      throw new UserError('PORT_FORBIDDEN', `${name} can only be opened by root (it is below 1024).`, error);
    }
    throw new UserError('PORT_ADDRESS', `${name} cannot be opened: ${sentenceOf(error)}.`, error);
  }
}
