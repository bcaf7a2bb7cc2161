import { join } from 'node:path';
import { execPath } from 'node:process';

import { SystemError } from '@tresse/kit';

import { proxyPort } from '../network/operator-rules.ts';
import { Child } from '../process/child.ts';

const startMs = 10_000;

/** An operator's transparent proxy, a process in the operator's namespace. */
export class ProxyProcess {
  readonly #child: Child;
  readonly #dead = Promise.withResolvers<void>();

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts it and returns when it takes connections. Throws SystemError `PROXY`. */
  static async start(netns: string): Promise<ProxyProcess> {
    const child = new Child(netns, [execPath, join(import.meta.dirname, 'main.ts'), String(proxyPort)]);
    const proxy = new ProxyProcess(child);
    const listening = Promise.withResolvers<void>();
    let complaint = '';
    child.process.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.onLine((line) => (line === 'dead' ? proxy.#dead : listening).resolve());
    const refuse = (why: string): void =>
      listening.reject(new SystemError('PROXY', `the proxy in ${netns} did not start: ${why}`));
    const timer = setTimeout(() => refuse('no answer'), startMs);
    void child.ended.then((end) => {
      refuse(complaint.trim() || `it ended with ${end.signal ?? end.status}`);
      return proxy.#dead.resolve();
    });
    try {
      await listening.promise;
    } finally {
      clearTimeout(timer);
    }
    return proxy;
  }

  /** Lets it take everything and pass on nothing. Resolves when that is so. */
  async die(): Promise<void> {
    this.#child.process.stdin?.write('die\n');
    await this.#dead.promise;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.process.kill('SIGKILL');
    await this.#child.ended;
  }
}
