/** Waiting in tests: for a condition, never for a time. */
import { createServer } from 'node:net';

import type { EventLoop } from '@tresse/sys';

const patienceMs = 30_000;

/** Lets all threads work until something holds; `loop` is this thread's, where it has one. Rejects when it never does. */
export async function soon(
  holds: () => boolean | Promise<boolean>,
  what: string | (() => string),
  loop?: EventLoop,
  endMs: number = performance.now() + patienceMs,
): Promise<void> {
  if (await holds()) return;
  if (performance.now() > endMs) throw new Error(`it never came to: ${typeof what === 'string' ? what : what()}`);
  loop?.turn(1);
  await new Promise((resolve) => (loop ? setImmediate(resolve) : setTimeout(resolve, 25)));
  await soon(holds, what, loop, endMs);
}

/** A TCP port of loopback that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
