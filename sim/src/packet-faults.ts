/** What happens to the lines and ends of a packet world, and when: drawn from the seed, some kinds switched off, others wild. */
import type { Prng } from '@tresse/kit';

import type { DirectionSpec } from './link-spec.ts';
import type { PacketLineSpec, PacketSide, PacketWorld } from './packet-world.ts';

const kinds = [
  'silence',
  'one-way silence',
  'loss',
  'one-way loss',
  'jitter',
  'reorder',
  'double',
  'rate',
  'delay',
  'bloat',
  'hole',
  'rebind',
  'leap',
  'freeze',
  'attack',
] as const;
export type PacketFaultKind = (typeof kinds)[number];

export interface PacketFault {
  readonly atMs: number;
  readonly path: number;
  readonly side: PacketSide;
  readonly kind: PacketFaultKind;
  readonly amount: number;
}

const sides: readonly PacketSide[] = ['box', 'relay'];
/** No line is longer, one way, ms. */
const delayMsMax = 600;
const reorderMs = 15;
const open = 65_535;

const amounts: Record<PacketFaultKind, (prng: Prng) => number> = {
  silence: (prng) => prng.logUniform(5, 3_000),
  'one-way silence': (prng) => prng.logUniform(5, 3_000),
  loss: (prng) => prng.logUniform(0.001, 0.2),
  'one-way loss': (prng) => prng.logUniform(0.001, 0.2),
  jitter: (prng) => prng.logUniform(0.5, 60),
  reorder: (prng) => prng.logUniform(0.001, 0.05),
  double: (prng) => prng.logUniform(0.001, 0.3),
  rate: (prng) => prng.logUniform(0.2, 4),
  delay: (prng) => prng.logUniform(1, 4),
  bloat: (prng) => prng.logUniform(200, 2_000),
  hole: (prng) => prng.int(700, 1_480),
  rebind: () => 0,
  leap: (prng) => prng.logUniform(10, 60_000),
  freeze: (prng) => prng.logUniform(5, 800),
  attack: (prng) => prng.int(1, 50),
};

/** Draws a plan of faults for so many lines within [fromMs, toMs), in the order of time. */
export function drawPacketFaults(prng: Prng, lines: number, fromMs: number, toMs: number): PacketFault[] {
  const faults: PacketFault[] = [];
  for (const kind of kinds) {
    if (prng.chance(0.6)) continue;
    const count = prng.chance(0.15) ? prng.int(4, 10) : prng.int(1, 2);
    for (let i = 0; i < count; i++) {
      const atMs = fromMs + prng.float() * (toMs - fromMs);
      const side = prng.chance(0.5) ? 'box' : 'relay';
      faults.push({ atMs, path: prng.int(1, lines), side, kind, amount: amounts[kind](prng) });
    }
  }
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

/** Lets a fault happen in a world made of `lines`, and its end too. */
export function inflictOnPackets(world: PacketWorld, lines: readonly PacketLineSpec[], fault: PacketFault): void {
  const { path, side, amount, kind } = fault;
  if (kind === 'silence') for (const from of sides) silence(world, from, path, amount);
  else if (kind === 'one-way silence') silence(world, side, path, amount);
  else if (kind === 'double') world.double(side, path, amount);
  else if (kind === 'rebind') world.rebind(path);
  else if (kind === 'leap') world.leap(side, amount);
  else if (kind === 'freeze') world.freeze(side, amount);
  else if (kind === 'attack') for (let i = 0; i < amount; i++) world.attack();
  else {
    for (const from of kind === 'one-way loss' || kind === 'hole' ? [side] : sides) {
      const spec = lines[path - 1]?.[from === 'box' ? 'up' : 'down'];
      if (spec) world.link(from, path).set(changeBy(spec, fault), world.clock.nowMs);
    }
  }
}

function silence(world: PacketWorld, side: PacketSide, path: number, ms: number): void {
  const link = world.link(side, path);
  link.cut(world.clock.nowMs);
  world.clock.at(world.clock.nowMs + ms, () => link.restore());
}

function changeBy(spec: DirectionSpec, { kind, amount }: PacketFault): Partial<DirectionSpec> {
  if (kind === 'loss' || kind === 'one-way loss') return { lossRatio: amount };
  if (kind === 'jitter') return { jitterMs: amount };
  if (kind === 'reorder') return { reorderRatio: amount, reorderMs };
  if (kind === 'rate') return { rateBps: spec.rateBps * amount };
  if (kind === 'delay') return { delayMs: Math.min(delayMsMax, spec.delayMs * amount) };
  if (kind === 'bloat') return { queueMs: amount };
  return { holeBytes: amount };
}

/** Everything is well from now on: lines are as at first, and neither lose, shake, nor cut anything. */
export function healPackets(world: PacketWorld, lines: readonly PacketLineSpec[]): void {
  for (const [i, line] of lines.entries()) {
    for (const side of sides) {
      const link = world.link(side, i + 1);
      const well = { lossRatio: 0, jitterMs: 0, reorderRatio: 0, holeBytes: open };
      link.set({ ...(side === 'box' ? line.up : line.down), ...well }, world.clock.nowMs);
      link.restore();
      world.double(side, i + 1, 0);
    }
  }
}
