/** Programs in namespaces, each pinned to one core, with what they cost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';

/** The core of what is measured, and the core of what loads it. */
export const cores = { measured: 0, load: 1 } as const;

/** Seconds of processor in one tick of /proc (USER_HZ, 100 on all of Linux). */
const tickS = 0.01;

export interface PinnedOptions {
  readonly netns: string;
  readonly core: number;
  readonly env?: Readonly<Record<string, string>>;
  /** File for all it prints; without one it is thrown away. */
  readonly log?: string;
}

/** A program that runs until it is told to end. */
export class Pinned {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #gone = false;

  /** `ip netns exec` and `taskset` become the program itself, so that its number is the child's. */
  constructor(argv: readonly string[], options: PinnedOptions) {
    const full = ['netns', 'exec', options.netns, 'taskset', '-c', String(options.core), ...argv];
    this.#child = spawn('ip', full, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
    const log = options.log === undefined ? undefined : createWriteStream(options.log, { flags: 'a' });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (log) stream?.pipe(log, { end: false });
      else stream?.resume();
    }
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.#gone = true;
        log?.end();
        resolve();
      };
      this.#child.once('error', end);
      this.#child.once('close', end);
    });
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Processor time of all its threads since it began, seconds. */
  cpuS(): number {
    try {
      const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
      // Behind the name, which may hold anything: state is field 3, utime 14, stime 15.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * tickS;
    } catch {
      return Number.NaN;
    }
  }

  /** Memory that stands for it alone and its share of what it shares, bytes. */
  residentBytes(): number {
    try {
      const text = readFileSync(`/proc/${this.#child.pid}/smaps_rollup`, 'utf8');
      return Number(/^Pss:\s+(\d+) kB/mu.exec(text)?.[1]) * 1_024;
    } catch {
      return Number.NaN;
    }
  }

  /** Asks it to end, by force after `patienceMs`. */
  async stop(patienceMs = 3_000): Promise<void> {
    if (this.#gone) return;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    await this.#ended;
    clearTimeout(timer);
  }
}
