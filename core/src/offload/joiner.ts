/**
 * Joins packets of one flow that come one behind the other to long ones, which pass the kernel in one go: the reverse of what {@link Cutter} does, and
 * what a network card's driver does for TCP (GRO). What cannot be joined without loss is left as it is: whoever forwards
 * the long packet cuts it into the same segments again.
 *
 * Packets of a flow keep their order; those of different flows need not. Nothing is held for longer than the caller's turn.
 */
import { Protocol } from '../packet/inner-packet.ts';
import { readU16 } from '../wire/wire.ts';
import { folded, type SummedBytes, wordSum } from './checksum.ts';
import { Run, runBytes, type Segment } from './run.ts';
import { emptyVnetHeader } from './vnet-header.ts';

/** Flows at once. */
const runsMax = 8;
/** Memory a {@link Joiner} needs. */
export const joinerBytes: number = runsMax * runBytes;

const fourHeaderBytes = 20;
const sixHeaderBytes = 40;
const udpHeaderBytes = 8;
const tcpHeaderMin = 20;

/** Takes a packet with a {@link VnetHeader} before it, at [start, start + length) of the joiner's memory. */
export type TakeLong = (start: number, length: number) => void;

export class Joiner {
  readonly #runs: readonly Run[];
  readonly #take: TakeLong;
  readonly #udp: boolean;
  readonly #segment: Segment = { four: true, tcp: true, innerAt: 0, headBytes: 0 };
  /** Which gives way next where there are more flows. */
  #turn = 0;
  #busy = 0;

  /** Takes memory of {@link joinerBytes}, and whether datagrams of UDP may be joined too. */
  constructor(memory: SummedBytes, udp: boolean, take: TakeLong) {
    const header = emptyVnetHeader();
    this.#runs = Array.from({ length: runsMax }, (_, index) => new Run(memory, index, header));
    this.#take = take;
    this.#udp = udp;
  }

  /** Copies a packet, to be joined. Returns false where it cannot be: then nothing is held any more that must come before it. */
  offer(bytes: Uint8Array, start: number, length: number): boolean {
    const segment = this.#segment;
    if (!this.#read(bytes, start, length)) {
      this.flush();
      return false;
    }
    const own = this.#busy === 0 ? undefined : this.#runs.find((run) => run.isOf(bytes, start, segment));
    if (own?.add(bytes, start, length, segment) === true) {
      if (own.full) this.#end(own);
      return true;
    }
    if (own) this.#end(own);
    return this.#begin(bytes, start, length);
  }

  /** Hands on all that is held. */
  flush(): void {
    if (this.#busy === 0) return;
    for (const run of this.#runs) if (run.count > 0) this.#end(run);
  }

  #begin(bytes: Uint8Array, start: number, length: number): boolean {
    const run = this.#runs.find(({ count }) => count === 0) ?? this.#oldest();
    if (run?.begin(bytes, start, length, this.#segment) !== true) return false;
    this.#busy++;
    return true;
  }

  /** One that is free because it has given way. */
  #oldest(): Run | undefined {
    const run = this.#runs[this.#turn];
    this.#turn = (this.#turn + 1) % this.#runs.length;
    if (run) this.#end(run);
    return run;
  }

  #end(run: Run): void {
    const { start } = run;
    this.#busy--;
    this.#take(start, run.end());
  }

  /** Looks at the headers. Returns false for what is no whole packet of TCP or UDP, or has more headers than these. */
  #read(bytes: Uint8Array, start: number, length: number): boolean {
    const segment = this.#segment;
    segment.four = bytes[start] === 0x45;
    segment.innerAt = segment.four ? fourHeaderBytes : sixHeaderBytes;
    if (length < segment.innerAt + udpHeaderBytes) return false;
    if (segment.four) {
      // No fragments, and nothing that is reserved.
      if (readU16(bytes, start + 2) !== length || (readU16(bytes, start + 6) & 0xbfff) !== 0) return false;
      // The joined packet gets another checksum: a wrong one is not to be mended.
      if (folded(wordSum(bytes, start, fourHeaderBytes)) !== 0xffff) return false;
    } else if ((bytes[start] ?? 0) >> 4 !== 6 || readU16(bytes, start + 4) !== length - sixHeaderBytes) return false;
    const protocol = bytes[start + (segment.four ? 9 : 6)];
    const inner = start + segment.innerAt;
    if (protocol === Protocol.udp) {
      segment.tcp = false;
      segment.headBytes = segment.innerAt + udpHeaderBytes;
      return this.#udp && readU16(bytes, inner + 4) === length - segment.innerAt;
    }
    if (protocol !== Protocol.tcp || length < segment.innerAt + tcpHeaderMin) return false;
    const headerBytes = ((bytes[inner + 12] ?? 0) >> 4) * 4;
    segment.tcp = true;
    segment.headBytes = segment.innerAt + headerBytes;
    return headerBytes >= tcpHeaderMin && segment.headBytes <= length;
  }
}
