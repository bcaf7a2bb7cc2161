import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';

/** How a child ended. */
export interface ChildEnd {
  /** Exit status; -1 where a signal ended it. */
  readonly status: number;
  readonly signal: string | null;
}

/**
 * A process of the lab that runs beside it, inside a namespace, with its stdout and stderr in our hands. Unlike the runners of
 * `sys` it is not waited for, and its output may be endless.
 */
export class Child {
  readonly process: ChildProcess;
  /** Resolves when it has ended; never rejects. */
  readonly ended: Promise<ChildEnd>;

  /** Starts it: argument array, no shell. A program that is missing ends with status 127. */
  constructor(netns: string, argv: readonly string[]) {
    const [program, ...rest] = ['ip', 'netns', 'exec', netns, ...argv];
    this.process = spawn(program, rest, {
      stdio: 'pipe',
      env: { ...process.env, LC_ALL: 'C' },
    });
    this.ended = new Promise((resolve) => {
      this.process.once('error', () => resolve({ status: 127, signal: null }));
      this.process.once('close', (status, signal) => resolve({ status: status ?? -1, signal }));
    });
    this.process.stdin?.on('error', () => undefined);
  }

  /** Sends what it prints to a file. */
  logTo(path: string): void {
    const file = createWriteStream(path, { flags: 'a' });
    this.process.stdout?.pipe(file, { end: false });
    this.process.stderr?.pipe(file, { end: false });
    void this.ended.then(() => file.end());
  }

  /** Calls back with every whole line of stdout. */
  onLine(take: (line: string) => void): void {
    let rest = '';
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    });
  }

  /** Asks it to end, and ends it by force where it has not after `patienceMs`. Returns how it ended and whether force was needed. */
  async stop(patienceMs: number): Promise<ChildEnd & { forced: boolean }> {
    this.process.kill('SIGTERM');
    let forced = false;
    const timer = setTimeout(() => {
      forced = true;
      this.process.kill('SIGKILL');
    }, patienceMs);
    const end = await this.ended;
    clearTimeout(timer);
    return { ...end, forced };
  }
}
