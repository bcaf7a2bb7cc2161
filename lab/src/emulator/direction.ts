import type { Prng, Slab } from '@tresse/kit';
import { type DirectionSpec, heldBytesMax, Link, type LinkCounters } from '@tresse/sim';

import { frameBytesMax, FrameRing } from './frame-ring.ts';
import type { DirectionName } from './messages.ts';
import { UdpPolicer, type UdpPolicy } from './udp-policer.ts';

/** One end of a line as the emulator sees it: a non-blocking device of whole frames. */
export interface FramePort {
  /** Puts one frame at the address. Returns its bytes, or a negative error number when there is none. */
  read(address: number, length: number): number;
  /** Hands one frame over. Returns its bytes, or a negative error number. */
  write(address: number, length: number): number;
}

/** What one direction did, beside its packets' fates: how well the emulator kept time. */
export interface DirectionCounters extends LinkCounters {
  /** Delivered more than 5 ms after they were due. */
  latePackets: number;
  /** Delivered more than 3 ms after they were due. */
  unpunctualPackets: number;
  latenessMsMax: number;
  /** Sum over all delivered packets: divide by `deliveredPackets` for the mean. */
  latenessMsSum: number;
  /** Due, but refused by the receiving device (it is down): among the delivered, and yet lost. */
  refusedPackets: number;
  /** UDP that the operator did not let through: on the way up among the delivered, for the line had carried it. */
  policedPackets: number;
}

/** A packet that late was not on a line as specified any more. */
const lateMs = 5;
/** Packets that late spoil delays, which are measured in a few ms, though not rates. */
const unpunctualMs = 3;
/** Frames moved in one go before the other directions get their turn. */
const batchFrames = 64;
const etherHeaderBytes = 14;

/** Moves frames from one device to another through a link in real time. */
export class Direction {
  readonly link: Link;
  readonly #ring: FrameRing;
  readonly #source: FramePort;
  readonly #sink: FramePort;
  readonly #clock: () => number;
  #latePackets = 0;
  #unpunctualPackets = 0;
  #latenessMsMax = 0;
  #latenessMsSum = 0;
  #refusedPackets = 0;
  #policedPackets = 0;
  readonly #way: DirectionName;
  /** At the operator's end: before the line on the way down, behind it on the way up. */
  #policer: UdpPolicer | undefined;

  constructor(
    spec: DirectionSpec,
    prng: Prng,
    ports: { source: FramePort; sink: FramePort; way: DirectionName },
    host: { clock: () => number; makeSlab: (size: number) => Slab },
  ) {
    this.#way = ports.way;
    this.link = new Link(spec, prng);
    this.#ring = new FrameRing(memoryFor(spec), host.makeSlab);
    this.#source = ports.source;
    this.#sink = ports.sink;
    this.#clock = host.clock;
  }

  /** Takes what the source has, up to a batch. Returns how many frames, cut or dropped ones too. */
  receive(): number {
    const { link } = this;
    const ring = this.#ring;
    const nowMs = this.#clock();
    for (let count = 0; count < batchFrames; count++) {
      ring.release(link.oldest);
      const address = ring.room();
      const length = this.#source.read(address, frameBytesMax);
      if (length <= 0) return count;
      if (this.#way === 'down' && !this.#passes(address - ring.address, length, nowMs)) continue;
      const number = link.offer(Math.max(0, length - etherHeaderBytes), nowMs);
      if (number >= 0) ring.keep(number, length);
    }
    return batchFrames;
  }

  /** Hands over what is due, up to a batch. Returns how many frames. */
  deliver(): number {
    const { link } = this;
    const ring = this.#ring;
    let nowMs = this.#clock();
    if (link.nextAtMs > nowMs) return 0;
    for (let count = 0; count < batchFrames; count++) {
      const number = link.poll(nowMs);
      if (number < 0) return count;
      if (this.#way === 'down' || this.#passes(ring.offsetOf(number), ring.lengthOf(number), nowMs)) {
        if (this.#sink.write(ring.addressOf(number), ring.lengthOf(number)) < 0) this.#refusedPackets++;
      }
      // After the write: the receiver's stack has run in it.
      nowMs = this.#clock();
      const latenessMs = nowMs - link.arrivedAtMs;
      this.#latenessMsSum += latenessMs;
      if (latenessMs > this.#latenessMsMax) this.#latenessMsMax = latenessMs;
      if (latenessMs > lateMs) this.#latePackets++;
      if (latenessMs > unpunctualMs) this.#unpunctualPackets++;
    }
    return batchFrames;
  }

  /** Changes the line from now on. Throws UserError for what cannot be. */
  set(change: Partial<DirectionSpec>): void {
    this.link.set(change, this.#clock());
    this.#ring.enlarge(memoryFor(this.link.spec));
  }

  /** From now on the operator lets through of UDP what the policy says, or all of it. */
  police(policy: UdpPolicy | undefined): void {
    this.#policer = policy === undefined ? undefined : new UdpPolicer(policy, this.#way);
  }

  /** What is due is still delivered, everything else held is lost, and what comes until {@link restore}. */
  cut(): void {
    while (this.deliver() > 0);
    this.link.cut(this.#clock());
  }

  /** Frames that came while the line was cut are gone: read them before. */
  restore(): void {
    while (this.receive() > 0);
    this.link.restore();
  }

  counters(): DirectionCounters {
    return {
      ...this.link.counters,
      latePackets: this.#latePackets,
      unpunctualPackets: this.#unpunctualPackets,
      latenessMsMax: this.#latenessMsMax,
      latenessMsSum: this.#latenessMsSum,
      refusedPackets: this.#refusedPackets,
      policedPackets: this.#policedPackets,
    };
  }

  #passes(offset: number, length: number, nowMs: number): boolean {
    if (this.#policer === undefined || this.#policer.passes(this.#ring.bytes, offset, length, nowMs)) return true;
    this.#policedPackets++;
    return false;
  }
}

/** For full packets with their Ethernet headers, so that a ring seldom grows in traffic. */
function memoryFor(spec: DirectionSpec): number {
  return heldBytesMax(spec) * 1.1;
}
