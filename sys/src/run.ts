import { type ChildProcess, spawn } from 'node:child_process';

import { SystemError } from '@tresse/kit';

/** How to run a command. */
export interface RunOptions {
  /** Milliseconds until the command is killed; 10 s when not given. */
  readonly timeoutMs?: number;
  /** Text for its standard input; otherwise that is empty. */
  readonly input?: string;
  /** Network namespace it runs in (`ip netns exec`). */
  readonly netns?: string;
}

const timeoutMsDefault = 10_000;
/** More output than this from `ip` or `nft` is a mistake. */
const outputBytesMax = 64 * 1024 * 1024;

/** Why a command counts as failed. */
export type CommandFailure = 'missing' | 'timeout' | 'status' | 'signal' | 'output';

/** A command failed. `code` is `COMMAND_` and the failure in upper case, for example `COMMAND_STATUS`. */
export class CommandError extends SystemError {
  readonly failure: CommandFailure;
  readonly argv: readonly string[];
  /** Exit status; undefined when it never ended by itself. */
  readonly exitCode: number | undefined;
  /** What it wrote to standard error, as it is. */
  readonly stderr: string;

  constructor(
    failure: CommandFailure,
    argv: readonly string[],
    detail: string,
    stderr: string,
    exitCode?: number,
    cause?: unknown,
  ) {
    const said = stderr.trim();
    super(`COMMAND_${failure.toUpperCase()}`, `${argv.join(' ')}: ${detail}${said ? `: ${said}` : ''}`, cause);
    this.name = 'CommandError';
    this.failure = failure;
    this.argv = argv;
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * Runs a command by its argument array, without a shell and in the C locale. Returns its standard output.
 * Throws CommandError: it is not installed (`missing`), took too long and was killed (`timeout`), ended with another status than 0 (`status`), was ended by a
 * signal (`signal`), or wrote more than 64 MiB (`output`).
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const full = options.netns === undefined ? argv : ['ip', 'netns', 'exec', options.netns, ...argv];
  const [command = '', ...rest] = full;
  const timeoutMs = options.timeoutMs ?? timeoutMsDefault;
  const child = spawn(command, rest, {
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that a time-out ends what the command itself began.
    detached: true,
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  // A command that does not read its input closes it: its status tells more than our EPIPE.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill(child);
    // What left its group may hold the pipes open for ever.
    child.stdout.destroy();
    child.stderr.destroy();
  }, timeoutMs);
  try {
    const { status, signal } = await ended(child, full);
    if (stdout.tooMuch || stderr.tooMuch) throw new CommandError('output', full, 'wrote too much', '');
    if (late) throw new CommandError('timeout', full, `took longer than ${timeoutMs} ms`, stderr.text());
    if (signal) throw new CommandError('signal', full, `ended by ${signal}`, stderr.text());
    if (status !== 0) {
      throw new CommandError('status', full, `exit status ${status}`, stderr.text(), status ?? undefined);
    }
    return stdout.text();
  } finally {
    clearTimeout(timer);
  }
}

/** {@link run} for a command that prints one JSON document; an empty output is an empty list. Throws as `run`, and SystemError `COMMAND_JSON`. */
export async function runJson(argv: readonly string[], options: RunOptions = {}): Promise<unknown> {
  const text = await run(argv, options);
  if (text.trim() === '') return [];
  try {
    const parsed: unknown = JSON.parse(text);
    return parsed;
  } catch (error) {
    throw new SystemError('COMMAND_JSON', `${argv.join(' ')}: printed something that is not JSON`, error);
  }
}

interface Collected {
  readonly tooMuch: boolean;
  text(): string;
}

function collect(stream: NodeJS.ReadableStream): Collected {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= outputBytesMax) chunks.push(chunk);
  });
  return {
    get tooMuch() {
      return bytes > outputBytesMax;
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}

function ended(
  child: ChildProcess,
  argv: readonly string[],
): Promise<{ status: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      reject(new CommandError('missing', argv, 'cannot be started; is it installed?', '', undefined, error));
    });
    child.on('close', (status, signal) => resolve({ status, signal }));
  });
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
