/** What a daemon's process has, counted from outside. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Census {
  /** Open descriptors, and the sockets among them. */
  readonly descriptors: number;
  readonly sockets: number;
  /** Descriptors registered with its epoll instances. */
  readonly watched: number;
  /** Mappings of memory. */
  readonly maps: number;
  readonly residentBytes: number;
  /** Processor time since it began, s. */
  readonly cpuS: number;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since the folder was read.
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Ticks of 10 ms in user and kernel mode; the program's name before them may hold anything but a bracket after it. */
function cpuSOf(folder: string): number {
  const fields = textOf(`${folder}/stat`).split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Counts a process of this machine, whatever namespace it is in. Throws where there is none. */
export function census(pid: number): Census {
  const folder = `/proc/${pid}`;
  const links = readdirSync(`${folder}/fd`)
    .map((fd) => ({ fd, link: linkOf(`${folder}/fd/${fd}`) }))
    .filter(({ link }) => link !== '');
  const watched = links
    .filter(({ link }) => link === 'anon_inode:[eventpoll]')
    .map(({ fd }) => textOf(`${folder}/fdinfo/${fd}`).match(/^tfd:/gmu)?.length ?? 0);
  const resident = /^VmRSS:\s+(\d+) kB/mu.exec(textOf(`${folder}/status`))?.[1];
  return {
    descriptors: links.length,
    sockets: links.filter(({ link }) => link.startsWith('socket:')).length,
    watched: watched.reduce((sum, count) => sum + count, 0),
    maps: textOf(`${folder}/maps`).split('\n').length - 1,
    residentBytes: Number(resident) * 1_024,
    cpuS: cpuSOf(folder),
  };
}

const lookGapMs = 100;

/** The least of each count, of each process, that is seen in a while: what comes and goes by turns is not counted. */
export async function least<Name extends string>(
  pids: Record<Name, number>,
  lastsMs: number,
): Promise<Record<Name, Census>> {
  const names = Object.keys(pids) as Name[];
  const found = new Map<Name, Census>();
  const endMs = performance.now() + lastsMs;
  const look = async (): Promise<void> => {
    for (const name of names) {
      const now = census(pids[name]);
      const lowest = found.get(name) ?? now;
      found.set(name, {
        descriptors: Math.min(lowest.descriptors, now.descriptors),
        sockets: Math.min(lowest.sockets, now.sockets),
        watched: Math.min(lowest.watched, now.watched),
        maps: Math.min(lowest.maps, now.maps),
        residentBytes: Math.min(lowest.residentBytes, now.residentBytes),
        cpuS: Math.min(lowest.cpuS, now.cpuS),
      });
    }
    if (performance.now() >= endMs) return;
    await new Promise((resolve) => setTimeout(resolve, lookGapMs));
    await look();
  };
  await look();
  return Object.fromEntries(found) as Record<Name, Census>;
}
