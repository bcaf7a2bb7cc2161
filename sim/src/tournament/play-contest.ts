/** One world, played by a policy, and held against the best of its lines alone. */
import type { Policy } from '@tresse/core';
import { Prng } from '@tresse/kit';

import { befall } from '../fault.ts';
import type { PeerOutcome } from '../local-peer.ts';
import { asking, giving, promptPeer } from '../peer-kinds.ts';
import { type PlainTransfer, plainTcp } from '../plain-tcp.ts';
import { type StreamSpec, World } from '../world.ts';
import { beginsMs, type Contest } from './draw-contest.ts';

/** How a policy did in a world. */
export interface Score {
  /** Geometric mean over the transfers of their time, in times of that on the best line alone. */
  readonly time: number;
  /** The same of the transfer that did worst, of twenty the second worst (95th percentile). */
  readonly timeWorst: number;
  /** Bytes per second of all together, as a share of what the lines carry; only where nothing happens to them. */
  readonly share: number | undefined;
  /** The longest a begun transfer stood still, ms. */
  readonly stallMs: number;
  /** Bytes that arrived twice, as a share of all. */
  readonly twice: number;
  /** Transfers that had not ended when time was up. */
  readonly unfinished: number;
}

/** Transfers that need longer count as if they had ended then, ms. */
const limitMs = 90_000;
const untilMs: number = beginsMs + limitMs;
const engine = { socketBytes: 4_194_304, tickMs: 2 };

/** Times of all transfers over the best single line, ms: the one whose times have the lowest geometric mean. */
export function bestSingleMs(contest: Contest): number[] {
  let best: number[] = [];
  let bestMean = Infinity;
  for (const [i, line] of contest.lines.entries()) {
    const faults = contest.faults.filter((fault) => fault.path === i + 1);
    const outcomes = plainTcp(line, contest.transfers, faults, untilMs, new Prng(contest.seed * 8 + i));
    const times = outcomes.map((outcome, k) => {
      const transfer = contest.transfers[k];
      const whole = transfer !== undefined && outcome.bytes === transfer.bytes;
      return whole ? outcome.lastMs - transfer.opensAtMs : limitMs;
    });
    const mean = geometricMean(times);
    if (mean >= bestMean) continue;
    bestMean = mean;
    best = times;
  }
  return best;
}

/** Plays a world; `alone` is what {@link bestSingleMs} says of it. */
export function playContest(contest: Contest, policy: Policy, alone: readonly number[]): Score {
  const { transfers, before, faults } = contest;
  const streams = [...transfers, ...(before ? [before] : [])].map(streamOf);
  const world = new World({ seed: contest.seed, lines: contest.lines, streams, ...engine, policy });
  for (const fault of faults) world.clock.at(fault.atMs, () => befall(world.line(fault.path), world.clock, fault));
  const outcome = (k: number): Pick<PeerOutcome, 'taken' | 'takenMs' | 'gapMsMax'> => {
    const flow = world.flows[k];
    return (transfers[k]?.down === true ? flow?.box : flow?.relay)?.outcome ?? nothing;
  };
  const done = (k: number): boolean => outcome(k).taken === transfers[k]?.bytes;
  // Asked for in turn: the ones that are through stay through.
  let next = 0;
  world.clock.run(untilMs, () => {
    while (next < transfers.length && done(next)) next++;
    return next === transfers.length;
  });
  const ends = transfers.map((_, k) => outcome(k));
  const ratios = ends.map((end, k) => {
    const opensAtMs = transfers[k]?.opensAtMs ?? 0;
    return (done(k) ? end.takenMs - opensAtMs : limitMs) / (alone[k] ?? limitMs);
  });
  const bytes = transfers.reduce((sum, transfer) => sum + transfer.bytes, 0);
  const twice = world.box.session.counters.bytesReceivedTwice + world.relay.session.counters.bytesReceivedTwice;
  const worst = ratios.toSorted((a, b) => b - a);
  return {
    time: geometricMean(ratios),
    timeWorst: worst[Math.floor(worst.length / 20)] ?? 0,
    share:
      faults.length > 0 ? undefined : bytes / (Math.max(...ends.map((e) => e.takenMs)) - beginsMs) / capacity(contest),
    stallMs: Math.max(...ends.map((end) => end.gapMsMax)),
    twice: twice / (bytes + (before?.bytes ?? 0)),
    unfinished: ratios.filter((_, k) => !done(k)).length,
  };
}

const nothing = { taken: 0, takenMs: 0, gapMsMax: 0 };

function streamOf({ opensAtMs, bytes, down }: PlainTransfer): StreamSpec {
  const [box, relay] = down ? [asking, giving(bytes)] : [giving(bytes), { ...promptPeer, bytes: 0 }];
  return { opensAtMs, box, relay, connectMs: 0.1, refused: false, paths: [] };
}

/** What the lines carry together in the direction of the transfers, bytes per ms. */
function capacity({ lines, transfers }: Contest): number {
  const down = transfers[0]?.down ?? true;
  return lines.reduce((sum, line) => sum + (down ? line.downBps : line.upBps) / 8_000, 0);
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
