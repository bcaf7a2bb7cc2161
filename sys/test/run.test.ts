import { globSync, readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { CommandError, run, runJson } from '../src/run.ts';

const node = (script: string): string[] => [process.execPath, '-e', script];

async function failureOf(promise: Promise<unknown>): Promise<CommandError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('run', () => {
  test('returns what was printed; arguments reach the command as they are', async () => {
    expect(await run(['printf', '%s|', 'a b', '$HOME', '*', '; true'])).toBe('a b|$HOME|*|; true|');
  });

  test('in the C locale, with the rest of the environment', async () => {
    expect(await run(['sh', '-c', 'printf %s "$LC_ALL:$PATH"'])).toBe(`C:${process.env['PATH']}`);
  });

  test('gives input, and end of input when there is none', async () => {
    expect(await run(['cat'], { input: 'é\n' })).toBe('é\n');
    expect(await run(['cat'])).toBe('');
  });

  test('a command that ignores a large input and succeeds, succeeds', async () => {
    expect(await run(['true'], { input: 'x'.repeat(1_000_000) })).toBe('');
  });

  test('another exit status: typed, with what it said', async () => {
    const error = await failureOf(run(['sh', '-c', 'echo out; echo bad luck >&2; exit 7']));
    expect(error).toMatchObject({
      failure: 'status',
      code: 'COMMAND_STATUS',
      exitCode: 7,
      stderr: 'bad luck\n',
      fault: 'system',
    });
    expect(error.message).toBe('sh -c echo out; echo bad luck >&2; exit 7: exit status 7: bad luck');
  });

  test('what is not installed', async () => {
    const error = await failureOf(run(['no-such-command-here']));
    expect(error).toMatchObject({ failure: 'missing', code: 'COMMAND_MISSING', exitCode: undefined });
    expect(error.message).toContain('is it installed?');
  });

  test('what takes too long is ended with all it began', async () => {
    const error = await failureOf(run(['sh', '-c', 'echo $$ >&2; sleep 1000 & sleep 1000'], { timeoutMs: 300 }));
    expect(error).toMatchObject({ failure: 'timeout', code: 'COMMAND_TIMEOUT' });
    const group = Number(error.stderr);
    expect(group).toBeGreaterThan(1);
    await expect.poll(() => alive(group)).toBe(false);
  });

  test('what left its group and holds the pipes does not hold us', async () => {
    const error = await failureOf(
      run(['sh', '-c', 'setsid sh -c "echo \\$\\$ >&2; exec sleep 3"; sleep 1000'], { timeoutMs: 200 }),
    );
    expect(error.failure).toBe('timeout');
  });

  test('ended by a signal', async () => {
    const error = await failureOf(run(['sh', '-c', 'kill -TERM $$']));
    expect(error).toMatchObject({ failure: 'signal', exitCode: undefined });
    expect(error.message).toContain('SIGTERM');
  });

  test('refuses to hold endless output', async () => {
    const error = await failureOf(run(['head', '-c', '70000000', '/dev/zero']));
    expect(error.failure).toBe('output');
  });
});

describe('runJson', () => {
  test('parses; nothing is an empty list', async () => {
    expect(await runJson(node('console.log(JSON.stringify({ a: [1] }))'))).toEqual({ a: [1] });
    expect(await runJson(['true'])).toEqual([]);
  });

  test("what is not JSON is the system's fault", async () => {
    await expect(runJson(['echo', 'hello'])).rejects.toMatchObject({ code: 'COMMAND_JSON', fault: 'system' });
  });
});

/** Whether any process of the group runs; dead ones that init has not collected do not count. */
function alive(group: number): boolean {
  return globSync('/proc/[0-9]*/stat').some((path) => {
    try {
      const [state, , pgrp] = readFileSync(path, 'latin1')
        .replace(/^.*\) /u, '')
        .split(' ');
      return state !== 'Z' && Number(pgrp) === group;
    } catch {
      return false;
    }
  });
}
