import { join } from 'node:path';
import { execPath } from 'node:process';

import { SystemError } from '@tresse/kit';

import type { CrowdNote, CrowdOrder } from '../clients/crowd-orders.ts';
import { Child } from '../process/child.ts';

const listeningMs = 10_000;

/** Where a server listens that sends back what it gets. */
export interface EchoPlace {
  readonly netns: string;
  readonly address: string;
  readonly port: number;
}

/** The echo server in its namespace, seen from the runner. */
export class EchoServer {
  readonly #child: Child;
  /** Addresses it was spoken to from. */
  readonly seen: string[] = [];

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Returns when it listens. Throws SystemError `CROWD`. */
  static async start({ netns, address, port }: EchoPlace): Promise<EchoServer> {
    const program = join(import.meta.dirname, '../internet/echo-server.ts');
    const child = new Child(netns, [execPath, program, address, String(port)]);
    const server = new EchoServer(child);
    const listening = Promise.withResolvers<void>();
    child.onLine((line) => {
      const from = JSON.parse(line) as string;
      if (from === '') listening.resolve();
      else server.seen.push(from);
    });
    child.process.stderr?.resume();
    const refuse = (why: string): void => listening.reject(new SystemError('CROWD', `the echo server ${why}`));
    const timer = setTimeout(() => refuse('did not start'), listeningMs);
    void child.ended.then(() => refuse('ended'));
    try {
      await listening.promise;
    } finally {
      clearTimeout(timer);
    }
    return server;
  }

  async stop(): Promise<void> {
    await this.#child.stop(2_000);
  }
}

/** The client of a crowd in its namespace, seen from the runner. */
export class Crowd {
  readonly #child: Child;
  #complaint = '';
  #answer: ((note: CrowdNote) => void) | undefined;

  constructor(netns: string, server: EchoPlace, talk: { bytes: number; seed: number }) {
    const program = join(import.meta.dirname, '../clients/crowd-client.ts');
    const settings = [server.address, server.port, talk.bytes, talk.seed].map(String);
    this.#child = new Child(netns, [execPath, program, ...settings]);
    this.#child.onLine((line) => this.#answer?.(JSON.parse(line) as CrowdNote));
    this.#child.process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#complaint += text));
  }

  /** Returns what came of it. Throws SystemError `CROWD` where the client itself fails. One order at a time. */
  async obey(order: CrowdOrder): Promise<CrowdNote> {
    const note = new Promise<CrowdNote>((resolve) => (this.#answer = resolve));
    this.#child.process.stdin?.write(`${JSON.stringify(order)}\n`);
    const said = await Promise.race([note, this.#child.ended]);
    if ('open' in said) return said;
    throw new SystemError('CROWD', `the crowd's client ended with ${said.status}: ${this.#complaint.trim()}`);
  }

  async stop(): Promise<void> {
    await this.#child.stop(5_000);
  }
}
