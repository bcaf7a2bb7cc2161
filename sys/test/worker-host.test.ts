import { readdirSync, readlinkSync } from 'node:fs';

import { afterEach, describe, expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { ECONNRESET } from '../src/errno.ts';
import { run } from '../src/run.ts';
import { connectStart, peekByte, tcpSocket } from '../src/socket.ts';
import { type WorkerFault, WorkerHost } from '../src/worker-host.ts';
import { eventually } from './connection.ts';
import type { Answer, Order, SubjectData } from './workers/subject.ts';

const url = new URL('./workers/subject.ts', import.meta.url);

/** A host with an ear: `next` gives what the worker says, in order. */
class Stage {
  readonly host: WorkerHost<Order, Answer, SubjectData>;
  readonly faults: WorkerFault[] = [];
  readonly #heard: Answer[] = [];
  #listener: (() => void) | undefined;

  constructor(data: SubjectData = {}) {
    this.host = new WorkerHost(url, data, {
      onMessage: (answer) => {
        this.#heard.push(answer);
        this.#listener?.();
      },
      onFault: (fault) => {
        this.faults.push(fault);
        this.#listener?.();
      },
    });
  }

  async until(holds: () => boolean): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve) => {
      this.#listener = resolve;
    });
    await this.until(holds);
  }

  async next(): Promise<Answer> {
    await this.until(() => this.#heard.length > 0);
    return this.#heard.shift()!;
  }

  async fds(count: number): Promise<number[]> {
    this.host.post({ do: 'open', count });
    const answer = await this.next();
    return answer.said === 'opened' ? answer.fds : [];
  }
}

/** Descriptors a `sys` worker may leave behind: event and epoll ones. */
function leftovers(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.includes('event') ? [`${fd} ${target}`] : [];
    } catch {
      return [];
    }
  });
}

let stage: Stage;
afterEach(() => stage.host.stop());

describe('messages', () => {
  test('arrive in order both ways, also those posted before the worker stood', async () => {
    stage = new Stage();
    for (let i = 0; i < 1000; i++) expect(stage.host.post({ do: 'echo', value: i })).toBe(true);
    expect(await stage.next()).toEqual({ said: 'ready' });
    const values: unknown[] = [];
    while (values.length < 1000) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is the point
      const answer = await stage.next();
      values.push(answer.said === 'echo' ? answer.value : answer);
    }
    expect(values).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  });
});

describe('the end', () => {
  test('a worker that is asked says goodbye, is no fault, and leaves no descriptor', async () => {
    const before = leftovers();
    stage = new Stage();
    await stage.next();
    await stage.fds(20);
    expect(leftovers().length).toBeGreaterThan(before.length + 20);
    await stage.host.stop();
    expect(await stage.next()).toEqual({ said: 'stopping' });
    expect(leftovers()).toEqual(before);
    expect(stage.faults).toEqual([]);
    expect(stage.host.post({ do: 'echo', value: 1 })).toBe(false);
  });

  test('a worker at work for long is ended all the same, and its descriptors are closed', async () => {
    const before = leftovers();
    stage = new Stage();
    await stage.next();
    await stage.fds(3);
    stage.host.post({ do: 'block', ms: 60_000 });
    // Without its forced end this would take a minute and fail by the test's time-out.
    await stage.host.stop();
    expect(leftovers()).toEqual(before);
    expect(stage.faults).toEqual([]);
  });

  test('stopping twice, and at once', async () => {
    const before = leftovers();
    stage = new Stage();
    await Promise.all([stage.host.stop(), stage.host.stop()]);
    await stage.host.stop();
    expect(leftovers()).toEqual(before);
  });
});

const leave = (how: string): Promise<string> =>
  run([process.execPath, '--no-warnings', new URL('./workers/leaver.ts', import.meta.url).pathname, how]);

describe('the main thread leaves', () => {
  test('by process.exit', async () => {
    await expect(leave('exit')).rejects.toMatchObject({ failure: 'status', exitCode: 5 });
  });
  test('by an exception', async () => {
    await expect(leave('throw')).rejects.toMatchObject({
      failure: 'status',
      exitCode: 1,
      stderr: expect.stringContaining('main fails') as unknown,
    });
  });
});

describe('a fault', () => {
  test.each(['throw', 'throw in a descriptor handler'] as const)(
    '%s: told with its stack, cleaned up, restarted',
    async (kind) => {
      const before = leftovers();
      stage = new Stage();
      await stage.next();
      const standing = leftovers().length;
      await stage.fds(20);
      stage.host.post({ do: kind, text: 'my mistake' });
      await stage.until(() => stage.faults.length === 1);
      const [fault] = stage.faults;
      expect(fault!.stack).toContain('TypeError: my mistake');
      expect(fault!.stack).toContain('subject.ts');
      expect(fault!.count).toBe(1);
      expect(fault!.closedDescriptors).toBeGreaterThanOrEqual(20);
      expect(fault!.restartInMs).toBeGreaterThan(0);
      expect(leftovers().length).toBe(before.length + 1);
      expect(await stage.next()).toEqual({ said: 'ready' });
      expect(leftovers().length).toBe(standing);
      stage.host.post({ do: 'echo', value: 'alive' });
      expect(await stage.next()).toEqual({ said: 'echo', value: 'alive' });
      await stage.host.stop();
      expect(leftovers()).toEqual(before);
      expect(stage.host.faultCount).toBe(1);
    },
  );

  test('while saying goodbye is told too, and no other worker begins', async () => {
    const before = leftovers();
    stage = new Stage({ clumsy: true });
    await stage.next();
    await stage.host.stop();
    expect(stage.faults).toMatchObject([{ count: 1, restartInMs: undefined }]);
    expect(stage.faults[0]!.stack).toContain('clumsy goodbye');
    expect(leftovers()).toEqual(before);
  });

  test('a worker that leaves by itself is one', async () => {
    stage = new Stage();
    await stage.next();
    stage.host.post({ do: 'exit' });
    await stage.until(() => stage.faults.length === 1);
    expect(stage.faults[0]!.stack).toBe('the worker ended by itself with status 3');
    expect(await stage.next()).toEqual({ said: 'ready' });
  });

  test('what was handed over stays open, what was closed is not closed again', async () => {
    stage = new Stage();
    await stage.next();
    const [handed = -1, closed = -1] = await stage.fds(2);
    stage.host.post({ do: 'hand over', fd: handed });
    stage.host.post({ do: 'close', fd: closed });
    expect(await stage.next()).toEqual({ said: 'handed over', fd: handed });
    stage.host.post({ do: 'throw', text: 'x' });
    await stage.until(() => stage.faults.length === 1);
    const open = leftovers().map((l) => Number(l.split(' ')[0]));
    expect(open).toContain(handed);
    expect(stage.faults[0]!.closedDescriptors).toBe(0);
    closeFd(handed);
  });

  test('a worker broken from birth is tried again with growing pauses, until the host stops', async () => {
    const before = leftovers();
    stage = new Stage({ broken: true });
    await stage.until(() => stage.faults.length >= 3);
    expect(stage.faults[0]!.stack).toContain('broken from birth');
    const pauses = stage.faults.slice(0, 3).map((f) => f.restartInMs);
    expect(pauses).toEqual([50, 100, 200]);
    await stage.host.stop();
    const { length } = stage.faults;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(stage.faults.length).toBe(length);
    expect(leftovers()).toEqual(before);
  });

  test('is a reset to those connected to the dead worker, so that nothing cut off looks whole', async () => {
    stage = new Stage();
    await stage.next();
    stage.host.post({ do: 'serve' });
    const answer = await stage.next();
    const client = tcpSocket(4);
    connectStart(client, '127.0.0.1', answer.said === 'serving' ? answer.port : 0);
    expect(await stage.next()).toEqual({ said: 'accepted' });
    stage.host.post({ do: 'throw', text: 'x' });
    expect(await eventually(() => peekByte(client))).toBe(-ECONNRESET);
    closeFd(client);
  });

  test('an unknown file is a fault, not an exception', async () => {
    const faults: WorkerFault[] = [];
    const host = await new Promise<WorkerHost<never, never, null>>((resolve) => {
      const made: WorkerHost<never, never, null> = new WorkerHost(
        new URL('./workers/nosuch.ts', import.meta.url),
        null,
        {
          onMessage: () => {},
          onFault: (fault) => {
            faults.push(fault);
            resolve(made);
          },
        },
      );
    });
    await host.stop();
    expect(faults[0]!.stack).toContain('nosuch.ts');
  });
});
