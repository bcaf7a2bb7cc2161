import { closeSync, constants, openSync } from 'node:fs';

import { BugError, SystemError, UserError } from '@tresse/kit';

import { checked, ErrnoError } from './errno.ts';
import { lastErrno, native } from './ffi.ts';

const CLONE_NEWNET = 0x4000_0000;
const folder = '/var/run/netns';

const setns: (fd: number, kind: number) => number = native('int setns(int, int)');

/**
 * Moves the calling thread, and only it, into the named network namespace (`ip netns add`) for good: for a worker at its start.
 * Threads and workers begun afterwards by this thread start there. Throws UserError `NETNS_NAME`, SystemError `NETNS_MISSING`, ErrnoError (EPERM).
 */
export function enterNetns(name: string): void {
  const there = openNamed(name);
  try {
    checked(setns(there, CLONE_NEWNET), `enter the network namespace ${name}`);
  } finally {
    closeSync(there);
  }
}

/**
 * Runs `work` in the named network namespace and comes back, also when it throws. What it opens (sockets, TUN devices) belongs to that namespace
 * for ever. `work` must be synchronous and must not begin threads, child processes or asynchronous file work. Returns what `work` returns.
 * Throws as {@link enterNetns}, and what `work` throws.
 */
export function inNetns<T>(name: string, work: () => T): T {
  const here = openSync('/proc/thread-self/ns/net', constants.O_RDONLY);
  try {
    enterNetns(name);
    try {
      const result = work();
      if (result instanceof Promise)
        throw new BugError('NETNS_ASYNC', 'work inside another network namespace must be synchronous');
      return result;
    } finally {
      comeBack(here);
    }
  } finally {
    closeSync(here);
  }
}

function comeBack(here: number): void {
  if (setns(here, CLONE_NEWNET) === 0) return;
  const { message } = new ErrnoError('return to the own network namespace', lastErrno());
  // Going on would open sockets in somebody else's network.
  throw new BugError('NETNS_STRANDED', message);
}

function openNamed(name: string): number {
  if (!/^[\w.@:+-]{1,200}$/u.test(name) || name === '.' || name === '..') {
    throw new UserError('NETNS_NAME', `"${name}" cannot be the name of a network namespace.`);
  }
  try {
    return openSync(`${folder}/${name}`, constants.O_RDONLY);
  } catch (error) {
    throw new SystemError('NETNS_MISSING', `there is no network namespace "${name}"`, error);
  }
}
