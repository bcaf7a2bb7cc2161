import { join } from 'node:path';
import { execPath } from 'node:process';

import { monotonicMs } from '@tresse/sys';

import type { FetchNote, FetchOrder } from '../internet/fetcher.ts';
import type { ServerProcess } from '../internet/server-process.ts';
import { Child } from '../process/child.ts';

/** The server tells of an upload when its connection has ended. */
const takenWithinMs = 5_000;

/** One transfer by a client that stays. */
export interface Fetched {
  /** From the client's connect to the last byte at the receiving application. */
  readonly ms: number;
  /** Whether all bytes came, and no wrong one. */
  readonly whole: boolean;
  /** Whose address the server saw; empty where it saw nobody. */
  readonly from: string;
  /** What is wrong, where something is. */
  readonly why: string;
}

/** A client process in a namespace that makes one transfer after another. */
export class Fetching {
  readonly #child: Child;
  readonly #server: ServerProcess;
  readonly #waiting = new Map<string, (note: FetchNote) => void>();

  constructor(netns: string, server: ServerProcess, seed: number) {
    this.#server = server;
    const program = join(import.meta.dirname, '../internet/fetcher.ts');
    this.#child = new Child(netns, [execPath, program, String(seed)]);
    this.#child.process.stderr?.resume();
    this.#child.onLine((line) => {
      const note = JSON.parse(line) as FetchNote;
      this.#waiting.get(note.id)?.(note);
      this.#waiting.delete(note.id);
    });
    void this.#giveUpAtEnd();
  }

  async #giveUpAtEnd(): Promise<void> {
    await this.#child.ended;
    for (const [id, tell] of this.#waiting) tell(nothing(id));
  }

  /** Makes the transfer. Never rejects: what went wrong is in what comes back. */
  async fetch(order: FetchOrder): Promise<Fetched> {
    const note = await new Promise<FetchNote>((resolve) => {
      this.#waiting.set(order.id, resolve);
      this.#child.process.stdin?.write(`${JSON.stringify(order)}\n`);
    });
    const from = this.#server.requestsOf(order.id)[0]?.from ?? '';
    const told = { from, why: note.why };
    if (order.direction === 'down') {
      const whole = note.why === '' && note.bytes === order.bytes && note.wrongAt < 0;
      return { ...told, ms: note.lastMs - note.beganMs, whole };
    }
    const taken = note.why === '' ? await this.#server.taken(order.id, takenWithinMs) : undefined;
    const [lastMs = note.beganMs, bytes = 0] = taken?.arrivals.at(-1) ?? [];
    const whole = bytes === order.bytes && taken?.wrongAt === -1;
    return { ...told, ms: lastMs - note.beganMs, whole };
  }

  async end(): Promise<void> {
    this.#child.process.stdin?.end();
    await this.#child.ended;
  }
}

function nothing(id: string): FetchNote {
  const now = monotonicMs();
  return { id, beganMs: now, lastMs: now, bytes: 0, wrongAt: -1, why: 'the client ended' };
}
