import { monotonicMs } from '@tresse/sys';

import type { DirectionName, Emulator } from '../emulator/index.ts';

/** Bytes every line had delivered at one moment. */
export interface LineSample {
  readonly atMs: number;
  readonly down: readonly number[];
  readonly up: readonly number[];
}

/** More than probes, ARP and retransmissions of a few packets: a line over which so much has come carries. */
const carriesBytes = 15_000;
const firstBytesMin = 3_000;
/** Lines differ by milliseconds in when their first bytes come. */
const firstSampleMs = 2;
/** A line's rate is judged over windows of this length. */
const windowMs = 500;

/** Samples the emulator's counters while a step runs. */
export class LineWatch {
  readonly #emulator: Emulator;
  readonly #names: readonly string[];
  readonly samples: LineSample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #asking: Promise<void> | undefined;

  constructor(emulator: Emulator, names: readonly string[]) {
    this.#emulator = emulator;
    this.#names = names;
  }

  /** Takes a sample now and then every so often: quickly until the first bytes of this direction have been seen. */
  async begin(direction: DirectionName, everyMs: number): Promise<void> {
    await this.sample();
    this.#every(firstSampleMs, () => {
      if (this.firstLine(direction) !== undefined) this.#every(everyMs);
    });
  }

  #every(everyMs: number, afterSample: () => void = () => {}): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      // A tick that finds the one before still asking is skipped: samples carry their own time.
      this.#asking ??= this.sample()
        .then(afterSample)
        .catch(() => undefined)
        .finally(() => (this.#asking = undefined));
    }, everyMs);
  }

  /** Takes the last sample. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#asking;
    await this.sample();
  }

  async sample(): Promise<void> {
    const counters = await this.#emulator.counters();
    this.samples.push({
      atMs: monotonicMs(),
      down: counters.map((c) => c.down.deliveredBytes),
      up: counters.map((c) => c.up.deliveredBytes),
    });
  }

  /** IP bytes each line delivered over all samples. */
  shares(direction: DirectionName): { uplink: string; bytes: number }[] {
    const first = this.samples[0]?.[direction];
    const last = this.samples.at(-1)?.[direction];
    return this.#names.map((uplink, i) => ({ uplink, bytes: (last?.[i] ?? 0) - (first?.[i] ?? 0) }));
  }

  /** The line on which the first bytes came; undefined while none has any. */
  firstLine(direction: DirectionName): string | undefined {
    return firstLine(this.samples, direction, this.#names);
  }

  indexOf(line: string): number {
    return this.#names.indexOf(line);
  }
}

/** The line that had delivered most in the first sample in which any had delivered something worth the name. */
export function firstLine(
  samples: readonly LineSample[],
  direction: DirectionName,
  names: readonly string[],
): string | undefined {
  const base = samples[0]?.[direction];
  if (base === undefined) return undefined;
  for (const sample of samples) {
    const carried = sample[direction].map((bytes, i) => bytes - (base[i] ?? 0));
    const most = Math.max(...carried);
    if (most >= firstBytesMin) return names[carried.indexOf(most)];
  }
  return undefined;
}

/** Milliseconds from `sinceMs` until the line carried again; undefined where it did not. */
export function carryingAgainMs(
  samples: readonly LineSample[],
  direction: DirectionName,
  line: number,
  sinceMs: number,
): number | undefined {
  const base = samples.findLast((s) => s.atMs <= sinceMs)?.[direction][line] ?? 0;
  const again = samples.find((s) => s.atMs > sinceMs && (s[direction][line] ?? 0) - base >= carriesBytes);
  return again === undefined ? undefined : again.atMs - sinceMs;
}

/** The highest rate of the line over any half second that ended within `withinMs` of `sinceMs`, in bits per second. */
export function bestRateBps(
  samples: readonly LineSample[],
  direction: DirectionName,
  line: number,
  since: { sinceMs: number; withinMs: number },
): number {
  const inside = samples.filter((s) => s.atMs >= since.sinceMs && s.atMs <= since.sinceMs + since.withinMs);
  let best = 0;
  for (const [i, end] of inside.entries()) {
    const start = inside.slice(0, i).findLast((s) => end.atMs - s.atMs >= windowMs);
    if (start === undefined) continue;
    const bytes = (end[direction][line] ?? 0) - (start[direction][line] ?? 0);
    best = Math.max(best, (bytes * 8_000) / (end.atMs - start.atMs));
  }
  return best;
}
