import { readFileSync } from 'node:fs';

import { BugError, sentenceOf, SystemError, TresseError, UserError } from '@tresse/kit';

import type { Log } from './log.ts';

/** Throws UserError `NOT_ROOT` unless this process may change the network. */
export function requireRoot(what: string): void {
  if (process.getuid?.() !== 0) throw new UserError('NOT_ROOT', `${what} needs root: it changes routes and rules.`);
}

/** The version of the software, as package.json has it. */
export function softwareVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const version = parsed !== null && typeof parsed === 'object' && 'version' in parsed ? parsed.version : undefined;
  if (typeof version !== 'string') throw new BugError('VERSION', 'package.json has no version');
  return version;
}

/**
 * For a data plane that failed too often to be started again: thrown out of its event it ends the daemon, whose supervisor begins
 * anew. Half a daemon would hold the LAN's connections and carry none.
 */
export function givenUp(): SystemError {
  return new SystemError('ENGINE_GIVEN_UP', 'the data plane failed ten times within a minute: the daemon ends');
}

/** Resolves with the name of the first SIGTERM, SIGINT or SIGHUP. Further ones are ignored: the end is under way. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => resolve(signal));
  });
}

/**
 * Runs a command's main function: a failure whose fault is not ours is one sentence on standard error and exit status 1 (2 for
 * the person's own), a bug is shown with its stack.
 */
export async function runMain(main: () => Promise<void>): Promise<void> {
  // Whoever read our log is gone: the lines it carries are not.
  process.stderr.on('error', () => {});
  try {
    await main();
  } catch (error) {
    if (error instanceof TresseError && error.fault !== 'bug') process.stderr.write(`${error.message}\n`);
    else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = error instanceof UserError ? 2 : 1;
  }
}

/** Logs what nobody caught and lets `end` clear up: half a daemon is worse than none, and its supervisor starts it again. */
export function onCrash(log: Log, end: () => void): void {
  const crash = (error: unknown): void => {
    log.error('a fault of ours, please report it', {
      reason: sentenceOf(error),
      stack: error instanceof Error ? (error.stack ?? '') : '',
    });
    process.exitCode = 1;
    end();
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
}

/** How a command ends for its arguments: 0 after its help, 2 where they are wrong, for that is the person's to mend. */
export function exitOf({ exitCode }: { readonly exitCode: number }): never {
  process.exit(exitCode === 0 ? 0 : 2);
}
