/**
 * LAN hosts that open and close streams, many a second, and the servers they ask. `turnover.ts JSON`, an {@link Order}; prints
 * its {@link Tally} as JSON once every stream is over. One process and one loop: it must cost less than what it measures.
 *
 * A client sends which way to end it wants and a number, 8 bytes, and is answered with a pattern that begins with this number.
 */
import {
  accept,
  bindAddress,
  closeFd,
  closeWithReset,
  connectOutcome,
  connectStart,
  EAGAIN,
  EventLoop,
  inNetns,
  listen,
  nativeSlab,
  READABLE,
  recvInto,
  sendFrom,
  setReuseAddress,
  shutdownWrite,
  tcpSocket,
  WRITABLE,
} from '@tresse/sys';

/** What is asked for. */
export interface Order {
  /** Namespaces of LAN hosts, and of the servers. */
  readonly lans: readonly string[];
  readonly servers: string;
  readonly address: string;
  /** The first of the servers' ports, and how many they are. Nobody listens at the one behind them. */
  readonly port: number;
  readonly ports: number;
  /** Streams opened a second by each LAN host, and of how many seconds. A machine that is too slow for it gets more time. */
  readonly perS: number;
  readonly seconds: number;
  /** Streams of each LAN host that stay all the time, and how often each asks, ms. */
  readonly live: number;
  readonly askGapMs: number;
}

/** What came of it. */
export interface Tally {
  opened: number;
  /** Answered whole and as it should be, and ended in the way that was wanted. */
  answered: number;
  /** Questions of the streams that stay, and their answers. */
  asked: number;
  replied: number;
  /** Nobody listens there, and so it was said. */
  refused: number;
  /** Given up by the client before the answer. */
  abandoned: number;
  /** Everything else, by what it was. */
  readonly failed: Record<string, number>;
  /** From connecting to the whole answer: the median and the longest, ms. */
  medianMs: number;
  longestMs: number;
  /** Processor time of this process, s. */
  cpuS: number;
}

/** How a stream ends. */
const serverFirst = 0;
const clientFirst = 1;
const clientResets = 2;
const abandoned = 3;
const refused = 4;
const stays = 5;
/** Of so many streams in turn each ends in this way. */
const ways = [...Array<number>(8).fill(serverFirst), ...Array<number>(7).fill(clientFirst), clientResets, clientResets];
const rareWays = [abandoned, refused];
const rarely = 20;

const questionBytes = 8;
const answerBytes = 1_024;
/** A stream that is not through after this time has failed, ms. */
const patienceMs = 10_000;
const paceMs = 5;
/** Streams that stay are opened at this pace, by each LAN host. */
const liveOpenedPerS = 400;

const slab = nativeSlab(65_536);
const words = new DataView(slab.bytes.buffer);
const loop = new EventLoop();

function serve(fd: number): void {
  loop.add(fd, READABLE, () => {
    const count = recvInto(fd, slab.address, slab.bytes.length);
    if (count === -EAGAIN) return;
    if (count <= 0) {
      loop.remove(fd);
      closeFd(fd);
      return;
    }
    // Questions are so short that they come whole.
    const way = words.getUint32(0);
    if (way === abandoned) return;
    slab.bytes.copyWithin(0, 4, 8);
    slab.bytes.fill(words.getUint8(3), 4, answerBytes);
    sendFrom(fd, slab.address, answerBytes);
    if (way === serverFirst) shutdownWrite(fd);
  });
}

function listenAt(address: string, port: number): void {
  const listener = tcpSocket(4);
  setReuseAddress(listener);
  bindAddress(listener, address, port);
  listen(listener, 4_096);
  loop.add(listener, READABLE, () => {
    for (let fd = accept(listener); fd >= 0; fd = accept(listener)) serve(fd);
  });
}

const order = JSON.parse(process.argv[2] ?? '') as Order;
const tally: Tally = {
  opened: 0,
  answered: 0,
  asked: 0,
  replied: 0,
  refused: 0,
  abandoned: 0,
  failed: {},
  medianMs: 0,
  longestMs: 0,
  cpuS: 0,
};
const times: number[] = [];

/** A stream as its client sees it. */
class Client {
  readonly way: number;
  readonly number: number;
  readonly fd: number = tcpSocket(4);
  askedMs: number = loop.nowMs;
  heard = 0;
  /** It has asked and has no answer yet. */
  waits = true;
  #connected = false;

  constructor(way: number, number: number, port: number) {
    this.way = way;
    this.number = number;
    connectStart(this.fd, order.address, port);
    loop.add(this.fd, WRITABLE, () => this.#onEvents());
  }

  ask(): void {
    words.setUint32(0, this.way);
    words.setUint32(4, this.number);
    this.askedMs = loop.nowMs;
    this.waits = true;
    this.heard = 0;
    if (this.way === stays) tally.asked++;
    sendFrom(this.fd, slab.address, questionBytes);
  }

  /** What time brings. */
  look(nowMs: number): void {
    const sinceMs = nowMs - this.askedMs;
    if (this.waits && sinceMs > patienceMs) this.end(closeWithReset, `no answer of way ${this.way}`);
    else if (this.way !== stays || this.waits) return;
    else if (turns >= turnsMax && standing >= order.live) this.end(closeFd);
    else if (sinceMs >= order.askGapMs) this.ask();
  }

  end(how: (fd: number) => void, failure?: string): void {
    clients.delete(this);
    loop.remove(this.fd);
    how(this.fd);
    if (failure !== undefined) tally.failed[failure] = (tally.failed[failure] ?? 0) + 1;
  }

  #onEvents(): void {
    if (!this.#connected) {
      this.#onConnected();
      return;
    }
    const count = recvInto(this.fd, slab.address, slab.bytes.length);
    if (count === -EAGAIN) return;
    if (count < 0) this.#onFailure(-count);
    else if (count === 0) this.#onEnd();
    else this.#onBytes(count);
  }

  #onConnected(): void {
    const errno = connectOutcome(this.fd);
    if (errno !== 0) {
      this.#onFailure(errno);
      return;
    }
    this.#connected = true;
    loop.modify(this.fd, READABLE);
    this.ask();
    if (this.way !== abandoned) return;
    tally.abandoned++;
    this.end(closeWithReset);
  }

  #onBytes(count: number): void {
    if (this.heard === 0 && words.getUint32(0) !== this.number) {
      this.end(closeWithReset, 'another answer');
      return;
    }
    this.heard += count;
    if (this.heard < answerBytes) return;
    const tookMs = loop.refreshNow() - this.askedMs;
    times.push(tookMs);
    this.waits = false;
    if (this.way === stays) tally.replied++;
    else if (this.way !== serverFirst) {
      tally.answered++;
      this.end(this.way === clientFirst ? closeFd : closeWithReset);
    }
  }

  #onEnd(): void {
    const whole = this.way === serverFirst && this.heard === answerBytes;
    if (whole) tally.answered++;
    this.end(closeFd, whole ? undefined : `an end after ${this.heard} bytes`);
  }

  #onFailure(errno: number): void {
    const wanted = this.way === refused && this.heard === 0;
    if (wanted) tally.refused++;
    this.end(closeFd, wanted ? undefined : `errno ${errno} of way ${this.way}`);
  }
}

/** Streams at a time of all LAN hosts: where a machine does not keep up they are opened more slowly, not piled up. */
const crowdMax = 2 * order.live * order.lans.length + 400;
const clients = new Set<Client>();

function open(way: number): void {
  const number = ++tally.opened;
  clients.add(new Client(way, number, order.port + (way === refused ? order.ports : number % order.ports)));
}

function wayOf(i: number): number {
  if (i % rarely === 0) return rareWays[(i / rarely) % rareWays.length] ?? abandoned;
  return ways[i % ways.length] ?? serverFirst;
}

inNetns(order.servers, () => {
  for (let i = 0; i < order.ports; i++) listenAt(order.address, order.port + i);
});
/** Does something so often, for each LAN host. */
function each(from: number, to: number, work: (i: number) => void): void {
  if (from >= to) return;
  for (const lan of order.lans) {
    inNetns(lan, () => {
      for (let i = from; i < to; i++) work(i);
    });
  }
}

const beganMs = loop.refreshNow();
const turnsMax = order.perS * order.seconds;
let turns = 0;
let standing = 0;
const pace = loop.timer(() => {
  const nowMs = loop.nowMs;
  for (const client of clients) client.look(nowMs);
  const due = Math.min(turnsMax, Math.floor(((nowMs - beganMs) * order.perS) / 1_000));
  const room = Math.ceil((crowdMax - clients.size) / order.lans.length);
  const until = Math.min(due, turns + room);
  each(turns, until, (i) => open(wayOf(i)));
  turns = Math.max(turns, until);
  const stand = Math.min(order.live, Math.floor(((nowMs - beganMs) * liveOpenedPerS) / 1_000));
  each(standing, stand, () => open(stays));
  standing = stand;
  if (turns >= turnsMax && standing >= order.live && clients.size === 0) loop.stop();
  else pace.at(nowMs + paceMs);
});
pace.at(beganMs);
loop.run();
times.sort((a, b) => a - b);
tally.medianMs = times[times.length >> 1] ?? 0;
tally.longestMs = times.at(-1) ?? 0;
tally.cpuS = (process.cpuUsage().user + process.cpuUsage().system) / 1e6;
process.stdout.write(JSON.stringify(tally));
