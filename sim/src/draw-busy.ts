/** A household's lines under steady load, from a seed: bulk, small requests and keystrokes at once; nothing is wrong yet. */
import { Prng } from '@tresse/kit';

import type { LineSpec } from './line.ts';
import type { PeerSpec } from './local-peer.ts';
import { asking, giving, promptPeer } from './peer-kinds.ts';
import { plainStream, type StreamSpec, type WorldSpec } from './world.ts';

/** What the lines are like besides rate and delay. */
export interface Weather {
  /** The most a piece is delayed beyond its line's delay, ms. */
  readonly jitterMs: number;
  readonly lossRatio: number;
  /** What a modem's buffer holds, ms. */
  readonly queueMs: number;
}

/** Few bytes, often: as keys pressed. */
const typing: PeerSpec = { ...promptPeer, bytes: 40_000, givesRate: 4, burstBytes: 200 };
const requestBytes = 3_000;
/** Small requests come at this distance, ms. */
const requestGapMs = 61;
/** Bulk lasts at least this long at the sum of the lines, s. */
const bulkS = 8;

/** Draws such a world: 2 to 4 lines of 2 to 40 Mbit/s, 1 to 120 ms; requests come until then, ms. */
export function drawBusyWorld(seed: number, untilMs: number, weather: Weather): WorldSpec {
  const prng = new Prng(seed);
  const lines = Array.from({ length: prng.int(2, 4) }, () => drawLine(prng, weather));
  const streams: StreamSpec[] = [plainStream(300, typing, typing)];
  const bulk = prng.int(0, 3);
  if (bulk === 1 || bulk === 3) streams.push(plainStream(400, asking, giving(bulkBytes(lines, 'downBps'))));
  if (bulk === 2 || bulk === 3) streams.push(plainStream(400, giving(bulkBytes(lines, 'upBps')), promptPeer));
  for (let atMs = 700; atMs < untilMs; atMs += requestGapMs) {
    // Some servers speak first.
    streams.push(plainStream(atMs, prng.chance(0.5) ? asking : promptPeer, giving(requestBytes)));
  }
  return { seed, lines, streams, socketBytes: 1_048_576, tickMs: 2 };
}

function drawLine(prng: Prng, { jitterMs, lossRatio, queueMs }: Weather): LineSpec {
  const downBps = prng.logUniform(2e6, 40e6);
  return {
    downBps,
    upBps: Math.max(1e6, downBps / prng.logUniform(1, 10)),
    delayMs: prng.logUniform(1, 120),
    jitterMs,
    lossRatio,
    queueMs,
  };
}

const bulkBytes = (lines: readonly LineSpec[], way: 'downBps' | 'upBps'): number =>
  Math.round(lines.reduce((sum, line) => sum + line[way] / 8, 0) * bulkS);
