import { type ChildProcess, spawn } from 'node:child_process';

import { expect, vi } from 'vitest';

import { nameOf } from './stage.ts';

/** `/who` answers whom the server sees; `/slow/N` a line every 100 ms, N of them. */
export const slowServer = `http.createServer((request, answer) => {
  if (request.url === '/who') { answer.end(request.socket.remoteAddress); return; }
  let left = Number(request.url.split('/').at(-1));
  const timer = setInterval(() => {
    answer.write(left + '\\n');
    if (--left <= 0) { clearInterval(timer); answer.end('whole'); }
  }, 100);
}).listen(80, '0.0.0.0')`;

/** A download of so many tenths of a second. */
export class Slow {
  readonly #child: ChildProcess;
  #text = '';

  constructor(tenths: number) {
    const url = `http://198.51.100.10/slow/${tenths}`;
    this.#child = spawn('ip', ['netns', 'exec', nameOf('lan'), 'curl', '-sSN', '-m', '40', url]);
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString();
    });
  }

  /** Resolves when it flows. */
  async begun(): Promise<this> {
    await vi.waitFor(() => expect(this.#text).toContain('\n'), { timeout: 15_000, interval: 100 });
    return this;
  }

  /** Its last line, once it is through. */
  async end(): Promise<string | undefined> {
    if (this.#child.exitCode === null) await new Promise((resolve) => this.#child.once('exit', resolve));
    return this.#text.split('\n').at(-1);
  }
}
