/** The worlds of the tournament, from a seed: lines of every kind, what happens to them, and what is carried. */
import { Prng } from '@tresse/kit';

import type { Fault } from '../fault.ts';
import type { LineSpec } from '../line.ts';
import type { PlainTransfer } from '../plain-tcp.ts';

export interface Contest {
  readonly seed: number;
  readonly lines: readonly LineSpec[];
  /** Scored. */
  readonly transfers: readonly PlainTransfer[];
  /** Carried before, so that the lines are known; 0: they are not. */
  readonly before: PlainTransfer | undefined;
  readonly faults: readonly Fault[];
}

/** The box has been up for so long when the transfers begin, ms. */
export const beginsMs = 6_000;
const beforeMs = 2_500;
/** Bytes of all transfers together, and of what was carried before. */
const bytesMin = 1_000_000;
const bytesMax = 12_000_000;
const beforeBytesMax = 2_000_000;

export function drawContest(seed: number): Contest {
  const prng = new Prng(seed ^ 0x7f4a7c15);
  const lines = drawLines(prng);
  const down = prng.chance(0.8);
  const capacity = lines.reduce((sum, line) => sum + (down ? line.downBps : line.upBps) / 8_000, 0);
  const bytes = Math.min(prng.logUniform(bytesMin, bytesMax), capacity * prng.logUniform(300, 5_000));
  const beforeBytes = Math.round(Math.min(beforeBytesMax, capacity * 1_000));
  const known = prng.chance(0.5);
  return {
    seed,
    lines,
    transfers: drawTransfers(prng, bytes, down),
    before: known ? { opensAtMs: beforeMs, bytes: beforeBytes, down } : undefined,
    faults: prng.chance(0.3) ? drawLineFaults(prng, lines.length) : [],
  };
}

function drawLines(prng: Prng): LineSpec[] {
  const count = prng.int(2, 8);
  // Some households have lines of a kind, others have all kinds.
  const middle = prng.chance(0.5) ? prng.logUniform(1.5e6, 170e6) : 0;
  const lossy = prng.chance(0.4);
  const shaking = prng.chance(0.4);
  const stray = prng.chance(0.15);
  const bloated = prng.chance(0.3);
  return Array.from({ length: count }, () => {
    const downBps = middle > 0 ? middle * prng.logUniform(1 / 3, 3) : prng.logUniform(0.5e6, 500e6);
    const strays = stray && prng.chance(0.5);
    return {
      downBps,
      upBps: Math.max(0.5e6, downBps / prng.logUniform(1, 10)),
      delayMs: prng.logUniform(1, 300),
      jitterMs: shaking && prng.chance(0.6) ? prng.logUniform(0.5, 50) : 0,
      lossRatio: lossy && prng.chance(0.6) ? prng.logUniform(0.0001, 0.05) : 0,
      queueMs: bloated && prng.chance(0.5) ? prng.logUniform(200, 2_000) : prng.logUniform(20, 300),
      reorderRatio: strays ? prng.logUniform(0.001, 0.05) : 0,
      reorderMs: strays ? prng.logUniform(1, 30) : 0,
    };
  });
}

/** A few large ones, or many of mixed sizes. */
function drawTransfers(prng: Prng, bytes: number, down: boolean): PlainTransfer[] {
  const few = prng.chance(0.4);
  const count = few ? prng.int(1, 3) : Math.round(prng.logUniform(3, 200));
  const sizes = Array.from({ length: count }, () => (few ? 1 : prng.logUniform(1, 1_000)));
  const sum = sizes.reduce((total, size) => total + size, 0);
  const spreadMs = few ? 50 : prng.logUniform(50, 3_000);
  return sizes.map((size) => ({
    opensAtMs: beginsMs + prng.float() * spreadMs,
    bytes: Math.max(200, Math.round((bytes * size) / sum)),
    down,
  }));
}

/** Outages, and lines that become another. */
function drawLineFaults(prng: Prng, lines: number): Fault[] {
  return Array.from({ length: prng.int(1, 3) }, (): Fault => {
    const at = { atMs: beginsMs + prng.float() * 4_000, path: prng.int(1, lines) };
    if (prng.chance(0.5)) return { ...at, kind: 'silence', amount: prng.logUniform(100, 4_000) };
    return { ...at, kind: 'rate', amount: prng.logUniform(0.2, 3) };
  }).toSorted((a, b) => a.atMs - b.atMs);
}
