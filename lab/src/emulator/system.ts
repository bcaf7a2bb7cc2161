import { constants, setPriority } from 'node:os';

import { run, runJson } from '@tresse/sys';

/** One end of a line: the interface the emulator makes there. */
export interface LineEnd {
  readonly netns: string;
  readonly ifname: string;
}

/** Frames a device keeps until they are fetched: 40 ms of full packets at 1 Gbit/s, where the kernel's default of 1,000 is 12 ms. */
const deviceQueueFrames = 4_000;

/** Throws CommandError. */
export async function lengthenQueue({ netns, ifname }: LineEnd): Promise<void> {
  await run(['ip', '-n', netns, 'link', 'set', 'dev', ifname, 'txqueuelen', String(deviceQueueFrames)]);
}

/** Packets the kernel dropped on their way out of the interface: its queue was full. Throws CommandError. */
export async function sendDrops({ netns, ifname }: LineEnd): Promise<number> {
  const [link] = (await runJson(['ip', '-n', netns, '-j', '-s', 'link', 'show', 'dev', ifname])) as {
    stats64?: { tx?: { dropped?: number } };
  }[];
  return link?.stats64?.tx?.dropped ?? 0;
}

/**
 * The emulator stands for hardware: no process under test may hold it up. Real-time scheduling, because an ordinary thread, however
 * preferred, waits until the running one's slice of 3 ms is over. Where neither is allowed the emulator is only less punctual, which its counters show.
 */
export async function preferThread(thread: number): Promise<void> {
  try {
    await run(['chrt', '--fifo', '--pid', '1', String(thread)]);
  } catch {
    try {
      setPriority(thread, constants.priority.PRIORITY_HIGHEST);
    } catch {
      return;
    }
  }
}
