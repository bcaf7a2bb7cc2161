import type { FrameSink, Target, Violation } from '../src/wire/frame.ts';

/** A frame that was read, as plain values. */
export type Read = readonly (string | number | boolean | readonly number[])[];

/** Notes every frame; DATA with a copy of its bytes. */
export class FrameLog implements FrameSink {
  readonly read: Read[] = [];
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #note(...frame: Read): Violation | undefined {
    this.read.push(frame);
    return undefined;
  }

  onOpen(
    stream: number,
    klass: number,
    paths: readonly number[],
    target: Target,
    host: number,
    client?: Target,
  ): Violation | undefined {
    const whom = client ? [[...client.address], client.port] : [];
    return this.#note('open', stream, klass, [...paths], [...target.address], target.port, host, ...whom);
  }

  onOpened(stream: number): Violation | undefined {
    return this.#note('opened', stream);
  }

  onData(stream: number, offset: number, start: number, length: number): Violation | undefined {
    return this.#note('data', stream, offset, [...this.#bytes.subarray(start, start + length)]);
  }

  onFin(stream: number, end: number): Violation | undefined {
    return this.#note('fin', stream, end);
  }

  onReset(stream: number, reason: number): Violation | undefined {
    return this.#note('reset', stream, reason);
  }

  onCredit(stream: number, limit: number): Violation | undefined {
    return this.#note('credit', stream, limit);
  }

  onAck(strand: number, records: number, sentUs: number): Violation | undefined {
    return this.#note('ack', strand, records, sentUs);
  }

  onPath(path: number, sequence: number, state: number, metered: boolean, rateBps: number): Violation | undefined {
    return this.#note('path', path, sequence, state, metered, rateBps);
  }

  onPing(token: number): Violation | undefined {
    return this.#note('ping', token);
  }

  onPong(token: number): Violation | undefined {
    return this.#note('pong', token);
  }

  onDatagram(start: number, length: number): Violation | undefined {
    return this.#note('datagram', start, length);
  }

  onDrain(): Violation | undefined {
    return this.#note('drain');
  }
}
