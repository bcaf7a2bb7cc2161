/** Worlds of the tournament's kind that the lab can play too: its machine carries so much, and its lines count IP bytes. */
import { type Policy, segmentBytes } from '@tresse/core';
import { Prng } from '@tresse/kit';

import type { DirectionSpec } from '../link-spec.ts';
import { asking, giving } from '../peer-kinds.ts';
import { World } from '../world.ts';

export interface Sample {
  readonly seed: number;
  /** Both directions of each line. */
  readonly lines: readonly { readonly down: DirectionSpec; readonly up: DirectionSpec }[];
  /** Downloaded by one stream. */
  readonly bytes: number;
}

/** What a packet of a full segment takes, bytes. */
const packetBytes = 1_500;
const payload: number = segmentBytes / packetBytes;
/** So long a download takes at the sum of the lines, ms. */
const lastsMs = 6_000;
/** Figures count from here, as in the lab, ms. */
const countedFromMs = 1_000;

/** Draws two to five lines of 2 to 30 Mbit/s: loss to 3 %, jitter, strays, queues of 20 ms to 1 s. Numbers are round, as people write them. */
export function drawSample(seed: number): Sample {
  const prng = new Prng(seed ^ 0x3c6ef372);
  const lossy = prng.chance(0.5);
  const shaking = prng.chance(0.5);
  const lines = Array.from({ length: prng.int(2, 5) }, () => {
    const rateBps = Math.round(prng.logUniform(2, 30)) * 1e6;
    const down: DirectionSpec = {
      rateBps,
      delayMs: Math.round(prng.logUniform(3, 120)),
      jitterMs: shaking && prng.chance(0.5) ? Math.round(prng.logUniform(2, 20)) : 0,
      lossRatio: lossy && prng.chance(0.6) ? Math.round(prng.logUniform(1, 30)) / 1_000 : 0,
      queueMs: Math.round(prng.logUniform(20, 1_000)),
      ...(prng.chance(0.15) && { reorderRatio: 0.01, reorderMs: 10 }),
    };
    return { down, up: { ...down, rateBps: Math.max(1e6, rateBps / 4) } };
  });
  const sumBps = lines.reduce((sum, line) => sum + line.down.rateBps, 0);
  return { seed, lines, bytes: Math.round((sumBps * payload * lastsMs) / 8_000 / 1e6) * 1_000_000 };
}

/** The simulated goodput of a sample's download from second 1 to its last byte, bits per second; `chance` seeds the losses. */
export function simulatedBps(sample: Sample, chance: number, policy?: Policy): number {
  const opensAtMs = 2_000;
  const lines = sample.lines.map(({ down, up }) => ({
    downBps: down.rateBps * payload,
    upBps: up.rateBps * payload,
    delayMs: down.delayMs,
    jitterMs: down.jitterMs,
    lossRatio: down.lossRatio,
    queueMs: down.queueMs,
    reorderRatio: down.reorderRatio ?? 0,
    reorderMs: down.reorderMs ?? 0,
  }));
  const stream = { opensAtMs, box: asking, relay: giving(sample.bytes), connectMs: 1, refused: false, paths: [] };
  const world = new World({
    seed: chance,
    lines,
    streams: [stream],
    socketBytes: 4_194_304,
    tickMs: 2,
    ...(policy && { policy }),
  });
  const taken = (): number => world.flows[0]?.box?.outcome.taken ?? 0;
  const { clock } = world;
  clock.run(opensAtMs + countedFromMs);
  const before = taken();
  clock.run(opensAtMs + 120_000, () => taken() === sample.bytes);
  return ((taken() - before) * 8_000) / (clock.nowMs - opensAtMs - countedFromMs);
}
