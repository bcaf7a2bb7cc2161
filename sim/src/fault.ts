/** What happens to the lines of a world, and when: drawn from the seed, some kinds switched off, others wild. */
import type { Prng } from '@tresse/kit';

import type { Clock } from './clock.ts';
import type { Line } from './line.ts';
import type { World } from './world.ts';

export interface Fault {
  readonly atMs: number;
  readonly path: number;
  readonly kind: FaultKind;
  /** How long an outage lasts, ms; how much a rate changes; which connection is hit. */
  readonly amount: number;
}

const faultKinds = [
  'silence',
  'carrier',
  'flap',
  'rate',
  'reset',
  'swallow',
  'freeze',
  'loss',
  'delay',
  'key',
  'jitter',
  'reorder',
  'proxy',
  'restart',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What is overtaken comes so much later, ms. */
const overtakenMs = 8;
/** Outages are shorter than what ends a stream, ms. */
const outageMsMax = 8_000;

/** Draws a plan of faults for `lines` lines within [fromMs, toMs), in the order of time. */
export function drawFaults(prng: Prng, lines: number, fromMs: number, toMs: number): Fault[] {
  const faults: Fault[] = [];
  for (const kind of faultKinds) {
    // Half of the kinds are off in a world; the others come once in a while, now and then all the time.
    if (prng.chance(0.5)) continue;
    const count = prng.chance(0.2) ? prng.int(8, 20) : prng.int(1, 3);
    for (let i = 0; i < count; i++) {
      const atMs = fromMs + prng.float() * (toMs - fromMs);
      faults.push({ atMs, path: prng.int(1, lines), kind, amount: amounts[kind](prng) });
    }
  }
  if (prng.chance(0.15)) faults.push(...everyLine(prng, lines, fromMs, toMs));
  return faults.toSorted((a, b) => a.atMs - b.atMs);
}

/** All lines fall silent together: nobody is left as a witness. */
function everyLine(prng: Prng, lines: number, fromMs: number, toMs: number): Fault[] {
  const atMs = prng.int(fromMs, toMs);
  const amount = prng.logUniform(100, outageMsMax);
  return Array.from({ length: lines }, (_, i) => ({ atMs, path: i + 1, kind: 'silence', amount }));
}

const amounts: Record<FaultKind, (prng: Prng) => number> = {
  silence: (prng) => prng.logUniform(5, outageMsMax),
  carrier: (prng) => prng.logUniform(5, outageMsMax),
  flap: (prng) => prng.logUniform(5, 300),
  rate: (prng) => prng.logUniform(0.1, 4),
  reset: (prng) => prng.float(),
  swallow: (prng) => prng.float(),
  freeze: (prng) => prng.logUniform(10, 1_000),
  loss: (prng) => prng.float() * 0.05,
  delay: (prng) => prng.logUniform(0.5, 4),
  key: () => 0,
  jitter: (prng) => prng.logUniform(0.1, 50),
  reorder: (prng) => prng.float() * 0.05,
  proxy: (prng) => prng.logUniform(100, outageMsMax),
  restart: () => 0,
};

/** Lets a fault happen in a world, and its end too. */
export function inflict(world: World, fault: Fault): void {
  const line = world.line(fault.path);
  const { clock } = world;
  switch (fault.kind) {
    case 'silence':
    case 'rate':
    case 'loss':
    case 'delay':
    case 'jitter':
    case 'reorder':
      befall(line, clock, fault);
      break;
    case 'carrier':
      world.carrier(fault.path, false);
      clock.at(clock.nowMs + fault.amount, () => world.carrier(fault.path, true));
      break;
    case 'flap':
      for (let i = 0; i < 6; i++) {
        clock.at(clock.nowMs + 2 * i * fault.amount, () => line.cut());
        clock.at(clock.nowMs + (2 * i + 1) * fault.amount, () => line.restore());
      }
      break;
    case 'key':
      world.renewKey();
      break;
    case 'restart':
      world.restart();
      break;
    case 'proxy':
      world.proxy(fault.path, false);
      clock.at(clock.nowMs + fault.amount, () => world.proxy(fault.path, true));
      break;
    case 'freeze':
      world.freeze(fault.path % 2 === 0 ? 'box' : 'relay', fault.amount);
      break;
    case 'reset':
    case 'swallow': {
      const hit = world.connections[Math.floor(fault.amount * world.connections.length)];
      if (fault.kind === 'reset') hit?.reset();
      else hit?.swallow();
    }
  }
}

/** Lets what concerns a line alone happen to it, and its end too. */
export function befall(line: Line, clock: Clock, fault: Pick<Fault, 'kind' | 'amount'>): void {
  if (fault.kind === 'silence') {
    line.cut();
    clock.at(clock.nowMs + fault.amount, () => line.restore());
  } else if (fault.kind === 'rate') line.scale(fault.amount);
  else if (fault.kind === 'loss') line.lossRatio = fault.amount;
  else if (fault.kind === 'delay') line.delayMs *= fault.amount;
  else if (fault.kind === 'jitter') line.jitterMs = fault.amount;
  else if (fault.kind === 'reorder') {
    line.reorderRatio = fault.amount;
    line.reorderMs = overtakenMs;
  }
}

/** Everything is well from now on: lines are as at first, and lose nothing. */
export function heal(world: World): void {
  for (const line of world.lines) {
    line.heal();
    if (line.deaf) world.proxy(line.path, true);
    world.carrier(line.path, true);
  }
}
