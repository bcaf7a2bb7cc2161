import { limits, type Path } from '@tresse/core';
import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { drawBusyWorld, type EndName, World } from '../src/index.ts';

const chosen = process.env['TRESSE_SEED'];
const worlds = Number(process.env['TRESSE_WORLDS'] ?? 40);
const seeds = chosen === undefined ? Array.from({ length: worlds }, (_, i) => i + 1) : [Number(chosen)];
const sides = ['box', 'relay'] as const;

/** A verdict and what follows from it come this long after the silence that proves a death, ms. */
const actionMs = 50;
const stepMs = 0.5;
/** A chunk is looked for behind this many others. */
const chunksMax = 64;

/** What a silent death looks like from one side. */
class Witness {
  readonly #world: World;
  readonly #side: EndName;
  readonly #path: number;
  readonly #limitMs: number;
  /** When the first thing was lost that this side had on the line, ms. */
  lostMs = Infinity;
  /** When nothing new went there any more, ms. */
  actedMs = Infinity;

  constructor(world: World, side: EndName, path: number) {
    this.#world = world;
    this.#side = side;
    this.#path = path;
    const { nowMs } = world.clock;
    const line = world.line(path);
    const queuesMs = line.up.queueMs(nowMs) + line.down.queueMs(nowMs);
    // What the kernel says, or is about to.
    const rttMs = Math.max(2 * line.delayMs + queuesMs, ...this.path.strands.map((strand) => strand.rttMs));
    this.#limitMs = Math.max(limits.silenceMsMin, limits.silenceRtts * rttMs) + actionMs;
  }

  get path(): Path {
    const path = this.#world[this.#side].session.paths.get(this.#path);
    if (!path) throw new Error(`${this.#side} knows no path ${this.#path}`);
    return path;
  }

  look(): void {
    const { nowMs } = this.#world.clock;
    const own = this.#world.connections.filter((connection) => connection.line.path === this.#path);
    if (this.lostMs === Infinity && own.some((one) => one.half(this.#side).unackedSegments > 0)) this.lostMs = nowMs;
    if (this.actedMs === Infinity && !this.path.usable) this.actedMs = nowMs;
  }

  /** What is wrong at the moment. */
  fault(): string | undefined {
    const { nowMs } = this.#world.clock;
    const dueMs = this.lostMs + this.#limitMs;
    if (nowMs > dueMs && this.actedMs > dueMs)
      return `lost at ${this.lostMs}, nothing done at ${nowMs}, due at ${dueMs}`;
    for (const stream of this.#world[this.#side].session.streams.values()) {
      for (let i = 0; i < chunksMax; i++) {
        const chunk = stream.send.chunkAt(i);
        if (!chunk) break;
        if (chunk.path !== this.#path || chunk.acked || chunk.lost) continue;
        const lateMs = nowMs - Math.max(chunk.sentMs, this.lostMs) - this.#limitMs;
        if (lateMs > 0)
          return `stream ${stream.id}: byte ${chunk.offset} waits there at ${nowMs}, ${lateMs} ms too long`;
      }
    }
    return undefined;
  }
}

test.each(seeds)('seed %d: a line dies silently, and both sides leave it in time with all they had there', (seed) => {
  const world = new World(drawBusyWorld(seed, 4_500, { jitterMs: 0, lossRatio: 0, queueMs: 200 }));
  const prng = new Prng(seed);
  const path = prng.int(1, world.lines.length);
  world.clock.run(3_000 + prng.float() * 500);
  const cutMs = world.clock.nowMs;
  const witnesses = sides.map((side) => new Witness(world, side, path));
  world.line(path).cut();
  while (world.clock.nowMs < cutMs + 1_500) {
    for (const witness of witnesses) {
      witness.look();
      const fault = witness.fault();
      if (fault !== undefined) throw new Error(`line ${path} cut at ${cutMs}, ${fault}\n${again(seed)}`);
    }
    world.clock.run(world.clock.nowMs + stepMs);
  }
  for (const [i, side] of sides.entries()) {
    expect(witnesses[i]!.path.suspect, `${side}: ${again(seed)}`).toBe(true);
    const others = world[side].session.counters.pathSuspicions;
    expect(others, `${side} suspects others too. ${again(seed)}`).toBe(1);
  }
  expect([...world.box.violations, ...world.relay.violations], again(seed)).toEqual([]);
});

const again = (seed: number): string =>
  `run it again: TRESSE_SEED=${seed} npx vitest run --project sim sim/test/death.test.ts`;
