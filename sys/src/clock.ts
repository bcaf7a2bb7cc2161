import { hrtime } from 'node:process';

/** `performance.now()` counts from the start of the thread; this much lies between that and CLOCK_MONOTONIC. */
const threadStartMs = Number(hrtime.bigint()) / 1e6 - performance.now();

/** CLOCK_MONOTONIC in milliseconds with fraction: one clock for all threads and processes of the machine. */
export function monotonicMs(): number {
  return performance.now() + threadStartMs;
}
