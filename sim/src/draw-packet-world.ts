/** A world of the packet lane from a seed: lines, flows, faults. Every order of magnitude equally often. */
import { Prng } from '@tresse/kit';

import { drawPacketFaults, type PacketFault } from './packet-faults.ts';
import type { PacketLineSpec, PacketSide } from './packet-world.ts';

export interface PacketFlowSpec {
  readonly from: PacketSide;
  readonly flow: number;
  readonly bytes: number;
  readonly bps: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface PacketWorldSpec {
  readonly seed: number;
  readonly lines: readonly PacketLineSpec[];
  readonly faults: readonly PacketFault[];
  readonly flows: readonly PacketFlowSpec[];
  /** The flow that fills the lines of its direction to the end of the world. */
  readonly flood: PacketFlowSpec;
  /** When all is healed, when its rate is to be back, and when it was judged, ms. */
  readonly healMs: number;
  readonly backMs: number;
  readonly endMs: number;
}

const faultsFromMs = 300;
const faultsToMs = 3_000;
/** The last outage may be as long. */
const healMs = 3_500;
/** What a world may take to be as fast again, ms, and round trips of its farthest line. */
const convergenceMs = 3_000;
const convergenceRtts = 6;
/** A line that nobody knows doubles its window each round trip, from six packets on. */
const startMs = 2_000;
const startRtts = 9;
const judgedMs = 1_000;
/** So much more than the lines carry is given. */
const floodGain = 1.2;

export function drawPacketWorld(seed: number): PacketWorldSpec {
  const prng = new Prng(seed ^ 0x3c6ef372);
  // Fast lines cost packets: few worlds have them, and short ones.
  const fast = prng.chance(0.03);
  const most = fast ? prng.logUniform(40e6, 500e6) : prng.logUniform(1e6, 40e6);
  const lines = Array.from({ length: prng.int(1, 5) }, () => drawLine(prng, most, fast ? 60 : 600));
  const faults = prng.chance(0.05) ? [] : drawPacketFaults(prng, lines.length, faultsFromMs, faultsToMs);
  const rttMs = Math.max(...lines.map(({ down, up }) => down.delayMs + up.delayMs));
  const againMs = healMs + convergenceMs + convergenceRtts * rttMs;
  const backMs = Math.max(againMs, startMs + startRtts * rttMs);
  const endMs = backMs + judgedMs;
  const from = prng.chance(0.6) ? 'relay' : 'box';
  const sumBps = lines.reduce((sum, line) => sum + line[from === 'box' ? 'up' : 'down'].rateBps, 0);
  const bytes = prng.chance(0.7) ? 1_400 : prng.int(900, 1_413);
  const flood = { from, flow: 1, bytes, bps: floodGain * sumBps, fromMs: prng.int(0, 1_000), untilMs: endMs } as const;
  // Whoever takes much says something now and then.
  const answers = {
    from: from === 'box' ? 'relay' : 'box',
    flow: 99,
    bytes: 80,
    bps: 80 * 8 * 5,
    fromMs: 0,
    untilMs: endMs,
  } as const;
  const flows = Array.from({ length: prng.int(0, 4) }, (_, i) => drawFlow(prng, i + 2, healMs));
  return { seed, lines, faults, flows: [...flows, answers], flood, healMs, backMs, endMs };
}

function drawLine(prng: Prng, most: number, delayMsMax: number): PacketLineSpec {
  const rateBps = prng.logUniform(0.5e6, most);
  const common = {
    delayMs: prng.logUniform(1, delayMsMax),
    queueMs: prng.logUniform(20, 2_000),
    jitterMs: prng.chance(0.8) ? 0 : prng.logUniform(0.5, 30),
    lossRatio: prng.chance(0.8) ? 0 : prng.logUniform(0.001, 0.05),
  };
  const upBps = prng.chance(0.5) ? rateBps : Math.max(0.5e6, rateBps / prng.logUniform(1, 20));
  return { down: { ...common, rateBps }, up: { ...common, rateBps: upBps } };
}

/** A call, a game, name look-ups, a small transfer. */
function drawFlow(prng: Prng, flow: number, untilMs: number): PacketFlowSpec {
  const from = prng.chance(0.5) ? 'box' : 'relay';
  const fromMs = prng.int(0, 2_000);
  const call = prng.chance(0.5);
  const bytes = call ? prng.int(60, 300) : prng.int(60, 1_413);
  const bps = call ? bytes * 8 * prng.int(20, 60) : prng.logUniform(5e3, 500e3);
  return { from, flow, bytes, bps, fromMs, untilMs };
}
