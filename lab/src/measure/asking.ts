import { join } from 'node:path';
import { execPath } from 'node:process';

import type { AskNote } from '../internet/asker.ts';
import type { ServerProcess } from '../internet/server-process.ts';
import { Child } from '../process/child.ts';
import type { Content } from './content.ts';

/** A request unanswered for so long will not be. */
const patienceMs = 5_000;

/** One request of those asked meanwhile, and whose address the server saw. */
export interface Asked {
  readonly beganMs: number;
  /** First byte of the answer; null where none came. */
  readonly answeredMs: number | null;
  /** Its last byte; null where not all of them came, and right. */
  readonly wholeMs: number | null;
  /** Empty where the server saw nothing. */
  readonly from: string;
  readonly why: string;
}

/** What is asked for, and how often. */
export interface AskOrder {
  readonly everyMs: number;
  readonly prefix: string;
  /** Of every request, and what they have to be. */
  readonly bytes: number;
  readonly content: Content;
}

/** The LAN host asking for a few bytes again and again. */
export class Asking {
  readonly #child: Child;
  readonly #server: ServerProcess;
  readonly #notes: AskNote[] = [];

  /** Begins to ask; `prefix` is unique within the server's life. */
  constructor(netns: string, server: ServerProcess, order: AskOrder) {
    const { everyMs, prefix, bytes, content } = order;
    this.#server = server;
    const base = `http://${server.address}:${server.port}`;
    const program = join(import.meta.dirname, '../internet/asker.ts');
    const settings = [String(everyMs), String(patienceMs), prefix, String(bytes), content.sha256(bytes)];
    this.#child = new Child(netns, [execPath, program, base, ...settings]);
    this.#child.process.stderr?.resume();
    this.#child.onLine((line) => this.#notes.push(JSON.parse(line) as AskNote));
  }

  /** Asks no more, waits for what is still open, and returns all in the order in which they were asked. */
  async end(): Promise<Asked[]> {
    this.#child.process.stdin?.end();
    await this.#child.ended;
    return this.#notes
      .toSorted((a, b) => a.beganMs - b.beganMs)
      .map((note) => Object.assign(note, { from: this.#server.requestsOf(note.id)[0]?.from ?? '' }));
  }
}

/**
 * Milliseconds from `sinceMs` to the first answer of the requests from which on all were answered as wanted: how long people had to wait until it
 * was well for good. Null where it never was.
 */
export function wellAfterMs(
  asked: readonly Asked[],
  sinceMs: number,
  wanted: (from: string) => boolean,
): number | null {
  const later = asked.filter((one) => one.beganMs >= sinceMs);
  const lastBad = later.findLastIndex((one) => one.answeredMs === null || !wanted(one.from));
  const answers = later.slice(lastBad + 1).map((one) => one.answeredMs ?? Infinity);
  return answers.length === 0 ? null : Math.min(...answers) - sinceMs;
}
