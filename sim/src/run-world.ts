/** Runs the world of a seed: faults first, safety all the while; then everything is healed and all must end well. */
import { BugError, Prng } from '@tresse/kit';

import { endFaults, memoryFault } from './check-world.ts';
import { drawWorld } from './draw-world.ts';
import { drawFaults, heal, inflict } from './fault.ts';
import { World } from './world.ts';

export interface WorldReport {
  readonly seed: number;
  readonly hash: number;
  readonly healedMs: number;
  readonly settledMs: number;
  readonly events: number;
}

/** Faults happen until then, ms. */
const faultsMs = 6_000;
/** After that all streams end within what the slowest peers and lines need, and this much, ms. */
const convergenceMs = 20_000;
/** Memory is checked this often, ms. */
const checkMs = 20;

/**
 * Runs one world. Throws a BugError that names the seed and the command that runs it again when anything that must hold
 * does not.
 */
export function runWorld(seed: number): WorldReport {
  try {
    return runUnder(seed);
  } catch (thrown) {
    const what = thrown instanceof Error ? thrown.message : String(thrown);
    const again = `TRESSE_SEED=${seed} npx vitest run --project sim sim/test/worlds.test.ts`;
    throw new BugError('WORLD', `world ${seed}: ${what}\nrun it again: ${again}`, thrown);
  }
}

function runUnder(seed: number): WorldReport {
  const spec = drawWorld(seed);
  const world = new World(spec);
  const { clock } = world;
  const prng = new Prng(seed ^ 0x2545f491);
  const faults = prng.chance(0.1) ? [] : drawFaults(prng, spec.lines.length, 0, faultsMs);
  for (const fault of faults) clock.at(fault.atMs, () => inflict(world, fault));
  const lastMs = Math.max(0, ...faults.map((f) => f.atMs + (f.kind === 'flap' ? 12 * f.amount : 0)));
  const watched = (untilMs: number): boolean => {
    while (!world.settled) {
      if (clock.nowMs >= untilMs) return false;
      clock.run(Math.min(untilMs, clock.nowMs + checkMs), () => world.settled);
      const wrong = memoryFault(world.box) ?? memoryFault(world.relay);
      if (wrong !== undefined) throw new BugError('WORLD_MEMORY', `at ${clock.nowMs} ms: ${wrong}`);
    }
    return true;
  };
  watched(lastMs);
  heal(world);
  const healedMs = clock.nowMs;
  const settled = watched(healedMs + convergenceMs);
  const wrong = endFaults(world);
  if (!settled || wrong.length > 0) {
    throw new BugError('WORLD_END', [`at ${clock.nowMs} ms, healed at ${healedMs} ms`, ...wrong].join('\n  '));
  }
  return { seed, hash: world.hash, healedMs, settledMs: clock.nowMs, events: clock.count };
}
