import { run, runJson } from '@tresse/sys';

import type { LabNames } from './addresses.ts';

const patience = { timeoutMs: 20_000 };

/** Names of all network namespaces of the machine. */
export async function netnsList(): Promise<string[]> {
  const found = await runJson(['ip', '-j', 'netns', 'list'], patience);
  return Array.isArray(found) ? found.map((entry: { name: string }) => entry.name) : [];
}

/** Ends the processes left inside the lab's namespaces and removes these. Returns how many namespaces there were. */
export async function sweep(names: LabNames): Promise<number> {
  const ours = (await netnsList()).filter((netns) => names.owns(netns));
  await Promise.all(ours.map((netns) => endProcesses(netns)));
  if (ours.length > 0) {
    const batch = ours.map((netns) => `netns delete ${netns}`);
    await run(['ip', '-batch', '-'], { ...patience, input: `${batch.join('\n')}\n` });
  }
  return ours.length;
}

async function endProcesses(netns: string): Promise<void> {
  const pids = (await run(['ip', 'netns', 'pids', netns], patience)).split('\n').map(Number);
  for (const pid of pids) {
    if (!(pid > 1) || pid === process.pid) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself in between.
    }
  }
}
