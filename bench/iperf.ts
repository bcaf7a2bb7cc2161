import { SystemError } from '@tresse/kit';
import { CommandError, run } from '@tresse/sys';

import { cores } from './pinned.ts';

const triesMax = 10;
const triesGapMs = 200;

/** What is read of iperf3's report. */
interface Report {
  readonly end?: {
    /** TCP: what came. */
    readonly sum_received?: { readonly bytes: number; readonly seconds: number };
    /** UDP: what was sent, and how much of it did not come. */
    readonly sum?: { readonly packets: number; readonly lost_packets: number; readonly seconds: number };
  };
  readonly error?: string;
}

/** A first datagram that a flood has crowded out leaves iperf3 waiting: that is no figure, and no failure. */
async function once(argv: readonly string[], netns: string, timeoutMs: number): Promise<Report> {
  const full = ['taskset', '-c', String(cores.load), 'iperf3', '-J', ...argv];
  try {
    return JSON.parse(await run(full, { netns, timeoutMs })) as Report;
  } catch (error) {
    if (error instanceof CommandError && error.failure === 'timeout') return { error: 'is busy' };
    throw error;
  }
}

/** The server takes one test at a time, and ends the one before when the last of its bytes have come: until then it is busy, or refuses. */
const notYet = /busy|refused/u;

async function ask(argv: readonly string[], netns: string, timeoutMs: number, tries = triesMax): Promise<Report> {
  const report = await once(argv, netns, timeoutMs);
  if (tries === 1 || !notYet.test(report.error ?? '')) return report;
  await new Promise((resolve) => setTimeout(resolve, triesGapMs));
  return await ask(argv, netns, timeoutMs, tries - 1);
}

/** Runs iperf3's client on the core of the load for so many seconds. Returns `end` of its report. Throws CommandError, SystemError `BENCH`. */
export async function iperf(
  name: string,
  netns: string,
  seconds: number,
  ...argv: readonly string[]
): Promise<NonNullable<Report['end']>> {
  const { end, error } = await ask(['-t', String(seconds), ...argv], netns, (seconds + 10) * 1_000);
  if (!end || error !== undefined) throw new SystemError('BENCH', `iperf3, ${name}: ${error ?? 'no figures'}`);
  return end;
}
