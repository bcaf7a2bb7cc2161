import { connect, type Socket } from 'node:net';

import { monotonicMs } from '@tresse/sys';

import type { Content } from '../measure/content.ts';

/** What became of one exchange. */
export interface Exchange {
  /** From sending to the last byte; null where not all came back, and right. */
  readonly ms: number | null;
  readonly why: string;
}

/** One connection to a server that sends back what it gets. */
export class Talker {
  readonly #socket: Socket;
  readonly #said: Buffer;
  #sentMs = 0;
  #back = 0;
  #fault = '';
  #heard: ((exchange: Exchange) => void) | undefined;

  /** Every talker says something else: the content from its number on. */
  constructor(address: string, port: number, content: Content, number: number, bytes: number) {
    this.#said = content.slice(number * 7, bytes);
    this.#socket = connect({ host: address, port, noDelay: true });
    this.#socket.on('data', (piece: Buffer) => this.#hear(piece));
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    this.#socket.on('close', () => this.#end('closed'));
  }

  get open(): boolean {
    return this.#fault === '' && this.#socket.readyState === 'open';
  }

  /** Sends its bytes and waits for them, at most `patienceMs`. One exchange at a time. Never rejects. */
  async exchange(patienceMs: number): Promise<Exchange> {
    if (this.#fault !== '') return { ms: null, why: this.#fault };
    if (this.#heard !== undefined) return { ms: null, why: 'the exchange before is still open' };
    return await new Promise((resolve) => {
      const timer = setTimeout(() => this.#end(`no answer within ${patienceMs} ms`), patienceMs);
      this.#heard = (exchange) => {
        clearTimeout(timer);
        this.#heard = undefined;
        resolve(exchange);
      };
      this.#sentMs = monotonicMs();
      this.#back = 0;
      this.#socket.write(this.#said);
    });
  }

  /** Resolves when the connection is gone. */
  async reset(): Promise<void> {
    if (this.#socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve());
      this.#socket.resetAndDestroy();
    });
  }

  #hear(piece: Buffer): void {
    if (!piece.equals(this.#said.subarray(this.#back, this.#back + piece.length))) return this.#end('wrong bytes');
    this.#back += piece.length;
    if (this.#back === this.#said.length) this.#heard?.({ ms: monotonicMs() - this.#sentMs, why: '' });
  }

  #end(why: string): void {
    this.#fault ||= why;
    this.#heard?.({ ms: null, why });
  }
}
