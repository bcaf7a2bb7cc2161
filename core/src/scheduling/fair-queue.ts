import type { Stream } from '../stream/stream.ts';
/** Streams of a class that have something to send: hosts take turns by bytes, and the streams of a host among themselves. */
import { RoundRobin, type Taker } from './round-robin.ts';

interface Host extends Taker {
  readonly streams: RoundRobin<Stream>;
}

export class FairQueue {
  /** By number; kept, for they come again. */
  readonly #known: Map<number, Host> = new Map();
  readonly #hosts: RoundRobin<Host> = new RoundRobin();
  #length = 0;
  /** Whose stream was taken last, until it is told what became of that. */
  #taken: Host | undefined;

  get length(): number {
    return this.#length;
  }

  push(stream: Stream): void {
    let host = this.#known.get(stream.host);
    if (!host) {
      host = { leftBytes: 0, streams: new RoundRobin() };
      this.#known.set(stream.host, host);
    }
    const first = host.streams.length === 0 && host !== this.#taken;
    host.streams.push(stream);
    this.#length++;
    if (first) this.#hosts.push(host);
  }

  /** The stream whose turn it is, taken out. Then {@link charge}, the stream's return or not, and {@link settle}. */
  shift(): Stream | undefined {
    const host = this.#hosts.shift();
    const stream = host?.streams.shift();
    this.#taken = host;
    if (stream) this.#length--;
    return stream;
  }

  /** The stream taken last has sent so much, bytes; 0: it found no line, and its turn is over. */
  charge(stream: Stream, bytes: number): void {
    const host = this.#taken;
    if (!host) return;
    stream.leftBytes -= bytes;
    host.leftBytes -= bytes;
    if (bytes > 0) return;
    host.streams.pass();
    this.#hosts.pass();
  }

  settle(): void {
    const host = this.#taken;
    this.#taken = undefined;
    if (host && host.streams.length > 0) this.#hosts.push(host);
  }

  /** Drops what `keep` refuses. */
  retain(keep: (stream: Stream) => boolean): void {
    this.#length = 0;
    for (const host of this.#known.values()) {
      host.streams.retain(keep);
      this.#length += host.streams.length;
    }
    this.#hosts.retain((host) => host.streams.length > 0);
  }
}
