import { run, runJson } from '@tresse/sys';

import type { LabNames } from './addresses.ts';

const patience = { timeoutMs: 20_000 };

/** Names of the namespaces of this lab that exist. */
export async function labNetns(names: LabNames): Promise<string[]> {
  const found = await runJson(['ip', '-j', 'netns', 'list'], patience);
  const all = Array.isArray(found) ? found.map((entry: { name: string }) => entry.name) : [];
  return all.filter((netns) => names.owns(netns));
}

/** Ends the processes left inside the lab's namespaces and removes these. Returns how many namespaces there were. */
export async function sweep(names: LabNames): Promise<number> {
  const ours = await labNetns(names);
  if (ours.length === 0) return 0;
  await Promise.all(ours.map((netns) => endProcessesIn(netns)));
  const batch = ours.map((netns) => `netns delete ${netns}\n`);
  await run(['ip', '-batch', '-'], { ...patience, input: batch.join('') });
  return ours.length;
}

/** Ends all processes inside the lab's namespaces, and no other. */
export async function endProcesses(names: LabNames): Promise<void> {
  await Promise.all((await labNetns(names)).map((netns) => endProcessesIn(netns)));
}

async function endProcessesIn(netns: string): Promise<void> {
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
