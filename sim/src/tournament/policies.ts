/** Who plays: the policy that ships, and others that differ from it in one respect each. */
import { type Policy, shippedPolicy, Turns } from '@tresse/core';

import { AllStrands } from './all-strands.ts';
import { LowestDelay, RoundRobin, SoonestOfAll, SoonestOfOpen, WeightedByRate } from './schedulers.ts';

const but = (change: Partial<Policy>): Policy => ({ ...shippedPolicy, ...change });
const alone: Partial<Policy> = { strands: (strands) => new Turns(strands, false) };
const allStrands: Partial<Policy> = { strands: (strands) => new AllStrands(strands) };

export const policies: Readonly<Record<string, Policy>> = {
  shipped: shippedPolicy,
  'lowest delay': but({ scheduler: () => new LowestDelay() }),
  'round robin': but({ scheduler: () => new RoundRobin() }),
  'weighted by rate': but({ scheduler: () => new WeightedByRate() }),
  'soonest of the open': but({ scheduler: () => new SoonestOfOpen() }),
  'soonest of all': but({ scheduler: () => new SoonestOfAll() }),
  'two strands at once': but(allStrands),
  'three strands at once': but({ ...allStrands, bulkStrands: 3 }),
  'no help by siblings': but(alone),
  'help by two siblings': but({ bulkStrands: 3 }),
  'overtaking by 10 ms': but({ overtakeMs: 10 }),
  'overtaking by 60 ms': but({ overtakeMs: 60 }),
  'no overtaking': but({ overtakeMs: Infinity }),
  'expects no end': but({ expectsAsMuch: false }),
  'counts no others': but({ countsOthers: false }),
  'shipped before': but({ ...alone, overtakeMs: Infinity, countsOthers: false, expectsAsMuch: false }),
  'no hedges': but({ hedgeShare: 0, hedgeShareEarly: 0 }),
  'more hedges': but({ hedgeShare: 0.08, hedgeShareEarly: 0.04 }),
  'half the queue': but({ queue: { rtts: 0.075, msMin: 8, msMax: 20 } }),
  'twice the queue': but({ queue: { rtts: 0.3, msMin: 30, msMax: 80 } }),
};
