import { readFileSync } from 'node:fs';

/** The kernel shows processor time to user space in these, on every architecture Node runs on. */
const ticksPerSecond = 100;

/** Resident memory of a process in bytes, shared pages included; 0 where there is no such process. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/mu.exec(textOf(`/proc/${pid}/status`))?.[1];
  return Number(kibibytes ?? 0) * 1_024;
}

/** Processor time of a process since its start, all threads, user and system, in seconds; 0 where there is no such process. */
export function processorSeconds(pid: number): number {
  return processorTicks(textOf(`/proc/${pid}/stat`)) / ticksPerSecond;
}

/** User and system time of a line of /proc/PID/stat. The name in its second field may hold anything, brackets and spaces too. */
export function processorTicks(stat: string): number {
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Fields 14 and 15 of proc(5); the first after the name is the third.
  return Number(afterName[11] ?? 0) + Number(afterName[12] ?? 0);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
