import type { PacketWorldSpec } from './draw-packet-world.ts';
import type { PacketSide, PacketWorld } from './packet-world.ts';

/** More than a line carries may be sent for so long, ms, and round trips of the line: nobody knows sooner that it is too much. */
const windowMs = 1_000;
const windowRtts = 2;
/** As many packets as it takes to tell a loss from an accident, bytes. */
const slackBytes = 20 * 1_500;

interface Watched {
  readonly side: PacketSide;
  readonly path: number;
  readonly windowMs: number;
  /** By look: when, what was offered so far, and what the line could have carried so far, bytes. */
  readonly looks: { atMs: number; offered: number; carried: number }[];
  /** What it could at the last looks: one that became slower is known as such a second later, bits per second. */
  readonly rates: number[];
}

/** Looks at what is sent to each line, and what it could carry in the same time. */
export class SendingWatch {
  readonly #world: PacketWorld;
  readonly #watched: Watched[] = [];
  /** The most that was sent to a line over a window, of what it carries. */
  excess = 0;
  worst = '';

  constructor(world: PacketWorld, spec: PacketWorldSpec) {
    this.#world = world;
    for (const [i, { down, up }] of spec.lines.entries()) {
      for (const side of ['box', 'relay'] as const) {
        const window = windowMs + windowRtts * (down.delayMs + up.delayMs);
        this.#watched.push({
          side,
          path: i + 1,
          windowMs: window,
          looks: [{ atMs: 0, offered: 0, carried: 0 }],
          rates: [],
        });
      }
    }
  }

  look(): void {
    const { nowMs } = this.#world.clock;
    for (const watched of this.#watched) {
      const { looks, side, path, rates } = watched;
      const { counters, spec } = this.#world.link(side, path);
      const before = looks.at(-1);
      if (!before) continue;
      rates.push(spec.rateBps);
      if (rates.length * (nowMs - before.atMs) > watched.windowMs) rates.shift();
      const carried = before.carried + ((nowMs - before.atMs) * Math.max(...rates)) / 8_000;
      looks.push({ atMs: nowMs, offered: counters.offeredBytes, carried });
      this.#judge(watched);
    }
  }

  #judge({ looks, windowMs: window, side, path }: Watched): void {
    const last = looks.at(-1);
    if (!last) return;
    while ((looks[1]?.atMs ?? Infinity) <= last.atMs - window) looks.shift();
    const first = looks[0];
    if (!first || last.atMs - first.atMs < window) return;
    const excess = (last.offered - first.offered - slackBytes) / (last.carried - first.carried);
    if (excess <= this.excess) return;
    this.excess = excess;
    this.worst = `${side}, path ${path}, until ${last.atMs} ms`;
  }
}
