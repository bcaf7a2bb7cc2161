/** Two sessions in memory, joined without sockets, seals or lines: what the core itself costs. */
import {
  limits,
  type Local,
  Session,
  type Side,
  type Strand,
  type StrandInfo,
  StrandRole,
  type Stream,
} from '@tresse/core';
import { FreeListPool, heapSlab, type Slab } from '@tresse/kit';

type Info = { -readonly [K in keyof StrandInfo]: StrandInfo[K] };

const keepBytes = 128 * 1_048_576;
/** Virtual time of one turn, ms, and what lines take for a round trip. */
const turnMs = 0.25;
const rttMs = 1;

/** A local peer that takes everything at once. */
class Sink implements Local {
  session: Session | undefined;
  nowMs = 0;
  delivered = 0;
  readonly accepted: Stream[] = [];

  connect(stream: Stream): void {
    this.accepted.push(stream);
  }

  deliver(_stream: Stream, _slab: Slab, _start: number, length: number): number {
    this.delivered += length;
    return length;
  }

  unacknowledged(): number {
    return 0;
  }

  ended(): void {}
  reset(): void {}
  room(): void {}
  released(): void {}
}

interface End {
  readonly session: Session;
  readonly sink: Sink;
  readonly strands: Map<number, Strand>;
}

function endOf(side: Side): End {
  const sink = new Sink();
  const session = new Session({ side, local: sink, pool: new FreeListPool(heapSlab, keepBytes) }, 0);
  sink.session = session;
  return { session, sink, strands: new Map() };
}

/** A box and a relay, and one stream that the box fills as fast as it is let. */
export class JoinedSessions {
  readonly #box = endOf('box');
  readonly #relay = endOf('relay');
  readonly #out: Slab = heapSlab(limits.recordBytesMax);
  readonly #info: Info;
  readonly #stream: Stream;
  #nowMs = 0;
  /** Records polled at one end and handled at the other, both directions. */
  records = 0;

  /** One quick and one bulk strand a path; each path's line carries `lineBytesPerS`. */
  constructor(paths: number, lineBytesPerS: number) {
    this.#info = {
      rttMs,
      minRttMs: rttMs,
      unsentBytes: 0,
      unackedSegments: 0,
      segmentsInFlight: 0,
      bytesInFlight: 0,
      segmentsIn: 0,
      bytesAcked: 0,
      deliveryRate: lineBytesPerS,
      sourceLimited: false,
      windowBytes: Math.max(65_536, (lineBytesPerS * 4 * rttMs) / 1_000),
    };
    for (let path = 1; path <= paths; path++) {
      for (const [id, role] of [
        [path * 2, StrandRole.quick],
        [path * 2 + 1, StrandRole.bulk],
      ] as const) {
        for (const end of [this.#box, this.#relay]) end.strands.set(id, end.session.handleStrandUp(id, path, role, 0));
      }
    }
    this.#stream = this.#box.session.openStream({ address: Uint8Array.of(192, 0, 2, 1), port: 80 }, [], 0);
  }

  get deliveredBytes(): number {
    return this.#relay.sink.delivered;
  }

  /** One turn of both ends: the source is read, lines are sampled, records go over until none comes. */
  turn(): void {
    this.#nowMs += turnMs;
    const { session } = this.#box;
    for (let i = 0; i < 16 && session.mayRead(this.#stream); i++) {
      const { room } = this.#stream.send.reserve();
      session.handleLocalData(this.#stream, room, this.#nowMs);
    }
    for (const stream of this.#relay.sink.accepted.splice(0)) this.#relay.session.handleConnected(stream, this.#nowMs);
    this.#sample(this.#box);
    this.#sample(this.#relay);
    this.#carry(this.#box, this.#relay);
    this.#carry(this.#relay, this.#box);
    this.#box.session.tick(this.#nowMs);
    this.#relay.session.tick(this.#nowMs);
  }

  #sample(end: End): void {
    const info = this.#info;
    for (const strand of end.strands.values()) {
      info.segmentsIn++;
      info.bytesAcked = strand.bytesOut;
      end.session.handleStrandInfo(strand, info, this.#nowMs);
    }
  }

  #carry(from: End, to: End): void {
    const start = limits.recordHeaderBytes;
    for (let strand = from.session.pollRecord(this.#out, this.#nowMs); strand;) {
      const arrived = to.strands.get(strand.id);
      if (arrived) {
        to.session.handleRecord(arrived, this.#out, start, start + from.session.textLength, this.#nowMs);
      }
      this.records++;
      strand = from.session.pollRecord(this.#out, this.#nowMs);
    }
  }
}
