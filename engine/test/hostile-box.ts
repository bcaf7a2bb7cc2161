/** A box with a good key and bad intentions: writes its records by hand. */
import { StrandRole } from '@tresse/core';
import type { AeadKey } from '@tresse/sys';

import { Peer } from './peer.ts';
import { frame, opening, record, type Siege, u64 } from './siege.ts';

/** More than this waits nowhere on our side, bytes. */
const queuedBytesMax = 262_144;

/** Frames as bytes, by their names in docs/protocol.md. */
export const say = {
  open: (stream: number, port: number, address = [127, 0, 0, 1]): Buffer =>
    frame(1, u64(stream), Buffer.from([2, 0, 4, port >> 8, port & 0xff, ...address])),
  data: (stream: number, offset: number, bytes: Uint8Array): Buffer => frame(3, u64(stream), u64(offset), bytes),
  fin: (stream: number, end: number): Buffer => frame(4, u64(stream), u64(end)),
  reset: (stream: number): Buffer => frame(5, u64(stream), Buffer.from([4])),
  credit: (stream: number, limit: number): Buffer => frame(6, u64(stream), u64(limit)),
  ack: (strand: number, records: number): Buffer => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(strand);
    return frame(7, number, u64(records));
  },
  path: (path: number, sequence: number, up: boolean): Buffer => {
    const body = Buffer.alloc(15);
    body[0] = path;
    body.writeUInt32BE(sequence, 1);
    body[5] = up ? 1 : 0;
    return frame(8, body);
  },
  ping: (token: number): Buffer => frame(9, u64(token)),
} as const;

/** Frames until a record is full. */
export function full(each: () => Uint8Array): Buffer {
  const frames: Uint8Array[] = [];
  let bytes = 0;
  for (let next = each(); bytes + next.length <= 65_536; next = each()) {
    frames.push(next);
    bytes += next.length;
  }
  return Buffer.concat(frames);
}

class HostileStrand {
  readonly peer: Peer;
  readonly #up: AeadKey;
  #counter = 1;

  constructor(siege: Siege, kid: number, id: number, reads: boolean) {
    const { bytes, up } = opening(kid, id, 1 + (id % 200), id % 2 === 1 ? StrandRole.quick : StrandRole.bulk);
    this.#up = up;
    this.peer = Peer.connect(siege.loop, siege.port, reads ? 0 : 4_096).send(bytes);
    this.peer.forgetful = true;
    if (!reads) this.peer.pause();
  }

  get room(): boolean {
    return !this.peer.over && this.peer.waitingBytes < queuedBytesMax;
  }

  say(text: Uint8Array): void {
    this.peer.send(record(this.#up, this.#counter++, text));
  }
}

export class HostileBox {
  readonly #siege: Siege;
  readonly #kid: number;
  readonly #reads: boolean;
  readonly #strands: HostileStrand[] = [];
  #nextStrand = 1;
  /** The next number of a stream. */
  next = 1;
  /** Strands the relay ended. */
  ended = 0;

  constructor(siege: Siege, kid: number, strands = 1, reads = true) {
    this.#siege = siege;
    this.#kid = kid;
    this.#reads = reads;
    for (let i = 0; i < strands; i++) this.#strands.push(this.#open());
  }

  /** A number never used. */
  stream(): number {
    this.next += 2;
    return this.next - 2;
  }

  /** Says a record of the maker's on every strand that has room; opens another for each the relay ended. */
  attack(text: () => Uint8Array): void {
    for (const [i, strand] of this.#strands.entries()) {
      if (strand.peer.over) {
        this.ended++;
        strand.peer.reset();
        this.#strands[i] = this.#open();
      } else if (strand.room) strand.say(text());
    }
  }

  leave(): void {
    for (const { peer } of this.#strands) peer.reset();
  }

  #open(): HostileStrand {
    return new HostileStrand(this.#siege, this.#kid, this.#nextStrand++, this.#reads);
  }
}
