/** A world from a seed: lines, streams, peers. Every order of magnitude equally often. */
import { Prng } from '@tresse/kit';

import type { LineSpec } from './line.ts';
import type { PeerSpec } from './local-peer.ts';
import { promptPeer } from './peer-kinds.ts';
import type { StreamSpec, WorldSpec } from './world.ts';

/** Bytes of all streams of a world together. */
const worldBytesMax = 6_000_000;
/** Strands are replaced so soon after a handshake, ms. */
const strandOldMs = 300;
/** What the lines could carry in this time is given at most, so that worlds are short, ms. */
const worldMs = 4_000;

export function drawWorld(seed: number): WorldSpec {
  const prng = new Prng(seed);
  const lossy = prng.chance(0.4);
  const lines = Array.from({ length: prng.int(2, 8) }, () => drawLine(prng, lossy));
  const total = Math.min(worldBytesMax, capacity(lines) * worldMs);
  const count = Math.round(prng.logUniform(1, 50));
  const streams = Array.from({ length: count }, () => drawStream(prng, Math.max(1_000, total / count), lines));
  return {
    seed,
    lines,
    streams,
    socketBytes: Math.round(prng.logUniform(16_384, 4_194_304)),
    tickMs: 5,
    strandOldMs,
  };
}

function drawLine(prng: Prng, lossy: boolean): LineSpec {
  const downBps = prng.logUniform(0.5e6, 500e6);
  return {
    downBps,
    upBps: prng.chance(0.5) ? downBps : Math.max(0.5e6, downBps / prng.logUniform(1, 20)),
    delayMs: prng.logUniform(1, 300),
    jitterMs: prng.chance(0.7) ? 0 : prng.logUniform(0.1, 50),
    lossRatio: lossy && prng.chance(0.5) ? prng.logUniform(0.0001, 0.05) : 0,
    queueMs: prng.logUniform(20, 1_000),
    ...drawRules(prng, downBps),
    ...(prng.chance(0.08) && { proxy: { bps: 1e9, delayMs: prng.logUniform(0.5, 30) } }),
  };
}

/** What the box's configuration says of a line, now and then. */
function drawRules(prng: Prng, downBps: number): Pick<LineSpec, 'metered' | 'limits'> {
  return {
    ...(prng.chance(0.08) && { metered: true }),
    // Never less than what the slowest line gives.
    ...(prng.chance(0.08) && { limits: { downBps: Math.max(0.5e6, downBps * prng.logUniform(0.3, 1)), upBps: 0 } }),
  };
}

/** What lines carry each way, bytes per ms; metered ones only where all are. */
function capacity(lines: readonly LineSpec[]): number {
  const ordinary = lines.filter((line) => line.metered !== true);
  const used = ordinary.length > 0 ? ordinary : lines;
  return used.reduce((sum, l) => sum + Math.min(l.limits?.downBps ?? l.downBps, l.downBps, l.upBps) / 8_000, 0);
}

function drawStream(prng: Prng, share: number, lines: readonly LineSpec[]): StreamSpec {
  // A rule may tie a stream to some lines.
  const paths = prng.chance(0.9) ? [] : [prng.int(1, lines.length), prng.int(1, lines.length)];
  const own = lines.filter((_, i) => paths.length === 0 || paths.includes(i + 1));
  const bytes = Math.min(share, (capacity(own) * worldMs) / 2);
  const opensAtMs = prng.chance(0.5) ? prng.int(0, 50) : prng.int(0, 3_000);
  const box = drawPeer(prng, bytes);
  const relay = drawPeer(prng, bytes);
  // Two that wait for each other's end would wait for ever.
  return {
    opensAtMs,
    box,
    relay: box.givesAfterEnd ? { ...relay, givesAfterEnd: false } : relay,
    connectMs: prng.logUniform(0.1, 200),
    refused: prng.chance(0.04),
    paths,
  };
}

function drawPeer(prng: Prng, bytes: number): PeerSpec {
  const size = prng.chance(0.1) ? 0 : Math.round(prng.logUniform(1, bytes * 2));
  // At its own pace a peer is through in some seconds.
  const pace = (): number => Math.max(0.2, size / prng.logUniform(50, 5_000));
  const stalls = prng.chance(0.15);
  const stallFromMs = stalls ? prng.int(0, 1_000) : Infinity;
  const resets = prng.chance(0.08);
  return {
    ...promptPeer,
    bytes: size,
    givesRate: prng.chance(0.6) ? Infinity : pace(),
    burstBytes: Math.max(1, Math.round(prng.logUniform(Math.max(1, size / 200), 65_536))),
    givesAfterEnd: prng.chance(0.15),
    takesRate: prng.chance(0.7) ? Infinity : Math.max(1, bytes / prng.logUniform(50, 5_000)),
    stallFromMs,
    stallToMs: stalls ? stallFromMs + prng.logUniform(10, 4_000) : Infinity,
    resetsAtBytes: resets && prng.chance(0.5) ? Math.round(prng.logUniform(1, bytes)) : Infinity,
    resetsAtMs: resets ? prng.logUniform(0.1, 4_000) : Infinity,
  };
}
