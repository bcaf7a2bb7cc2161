import type { PathStatus } from '@tresse/schema';

/** What tells how well a path does. */
interface PathState {
  readonly uplink?: string | undefined;
  readonly state: string;
}

const best = ['up', 'suspect'];

/**
 * The path that stands for a line: a line has one to each address of the relay, and is as well as the best of them. Undefined
 * where it has none.
 */
export function bestPath<P extends PathState>(paths: readonly P[], uplink: string): P | undefined {
  const own = paths.filter((one) => one.uplink === uplink);
  const inState = best.flatMap((state) => own.filter((one) => one.state === state));
  return inState[0] ?? own.at(-1);
}

/** The best path of a line, with what all paths of the line carry. */
export function linePath(paths: readonly PathStatus[], uplink: string): PathStatus | undefined {
  const found = bestPath(paths, uplink);
  if (!found) return undefined;
  const own = paths.filter((one) => one.uplink === uplink);
  const total = (key: 'rateDownBps' | 'rateUpBps' | 'bytesIn' | 'bytesOut'): number =>
    own.reduce((sum, one) => sum + one[key], 0);
  return {
    ...found,
    rateDownBps: total('rateDownBps'),
    rateUpBps: total('rateUpBps'),
    bytesIn: total('bytesIn'),
    bytesOut: total('bytesOut'),
  };
}

/** How many lines have a path that is up. */
export function linesUp(paths: readonly PathState[]): number {
  return new Set(paths.filter((one) => one.state === 'up').map((one) => one.uplink)).size;
}
