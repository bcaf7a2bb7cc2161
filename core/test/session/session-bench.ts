/** A session with a local side that notes what it is told, and records written by hand. */
import { FreeListPool, heapSlab, type Slab } from '@tresse/kit';

import { recordTextMax } from '../../src/limits.ts';
import type { Side, TakeDatagram } from '../../src/session/session-state.ts';
import { Session } from '../../src/session/session.ts';
import type { Strand } from '../../src/strand/strand.ts';
import type { Local } from '../../src/stream/local.ts';
import type { Stream } from '../../src/stream/stream.ts';
import { type FrameSink, FrameWriter, readFrames, type Violation } from '../../src/wire/frame.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { FrameLog, type Read } from '../frame-log.ts';

export const target = { address: Uint8Array.of(198, 51, 100, 10), port: 80 };

export class SessionBench {
  readonly told: string[] = [];
  readonly pool: FreeListPool = new FreeListPool(heapSlab, 0);
  readonly session: Session;
  readonly connecting: Stream[] = [];
  nowMs = 1_000;
  /** How many bytes the local peer takes at a time. */
  appetite = Infinity;
  /** What the local peer's TCP has not acknowledged, bytes; and how often that was asked. */
  unacknowledgedBytes = 0;
  asked = 0;
  readonly #record: Slab = heapSlab(recordTextMax + 64);
  readonly #out: Slab = heapSlab(recordTextMax + 64);

  constructor(side: Side, onDatagram?: TakeDatagram) {
    const local: Local = {
      connect: (stream) => {
        this.connecting.push(stream);
        this.told.push(`connect ${stream.id}`);
      },
      deliver: (stream, _slab, _start, length) => {
        const count = Math.min(length, this.appetite);
        if (count > 0) this.told.push(`deliver ${stream.id} ${count}`);
        return count;
      },
      unacknowledged: () => {
        this.asked++;
        return this.unacknowledgedBytes;
      },
      ended: (stream) => this.told.push(`ended ${stream.id}`),
      reset: (stream, reason) => this.told.push(`reset ${stream.id} ${reason}`),
      room: (stream) => this.told.push(`room ${stream.id}`),
      released: (stream) => this.told.push(`released ${stream.id}`),
      message: (bytes) => this.told.push(`message ${bytes.join()}`),
    };
    this.session = new Session({ side, local, pool: this.pool, ...(onDatagram && { onDatagram }) }, this.nowMs);
  }

  strand(id: number, path: number = id, role: StrandRole = StrandRole.quick): Strand {
    return this.session.handleStrandUp(id, path, role, this.nowMs);
  }

  /** A record comes in on a strand. */
  hear(strand: Strand, write: (writer: FrameWriter) => void): Violation | undefined {
    const writer = new FrameWriter();
    writer.begin(this.#record.bytes, 4, recordTextMax);
    write(writer);
    return this.session.handleRecord(strand, this.#record, 4, writer.at, this.nowMs);
  }

  /** A record with a text of the peer's making comes in. */
  hearText(strand: Strand, text: Uint8Array): Violation | undefined {
    this.#record.bytes.set(text, 4);
    return this.session.handleRecord(strand, this.#record, 4, 4 + text.length, this.nowMs);
  }

  /** Everything the session has to send now: the frames by strand. */
  poll(): { strand: number; frames: readonly Read[] }[] {
    const records: { strand: number; frames: readonly Read[] }[] = [];
    for (
      let s = this.session.pollRecord(this.#out, this.nowMs);
      s;
      s = this.session.pollRecord(this.#out, this.nowMs)
    ) {
      const log: FrameLog & FrameSink = new FrameLog(this.#out.bytes);
      readFrames(this.#out.bytes, 4, 4 + this.session.textLength, log);
      records.push({ strand: s.id, frames: log.read });
    }
    return records;
  }

  /** All frames of a kind the session has to send now. */
  frames(name: string): Read[] {
    return this.poll().flatMap(({ frames }) => frames.filter(([kind]) => kind === name));
  }

  /** The local peer of a stream gives bytes. */
  give(stream: Stream, bytes: number): void {
    const { slab, start } = stream.send.reserve();
    slab.bytes.fill(7, start, start + bytes);
    this.session.handleLocalData(stream, bytes, this.nowMs);
    this.session.handleLocalDry(stream);
  }
}
