/** What authenticated records of a hostile peer do to a session: nothing but being counted. */
import { mutated, Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { creditFloorBytes, receiveBudgetBytes, streamsMax } from '../../src/limits.ts';
import type { Side } from '../../src/session/session-state.ts';
import type { Strand } from '../../src/strand/strand.ts';
import type { Stream } from '../../src/stream/stream.ts';
import { framedMessage } from '../../src/wire/control-stream.ts';
import { SessionBench } from '../session/session-bench.ts';
import { type Aim, hostileText } from './hostile-frames.ts';

const inputs = 10_000;
const seed = Number(process.env['TRESSE_SEED'] ?? 1);
const again = (what: string): string =>
  `TRESSE_SEED=${seed} vitest run --project unit core/test/wire/hostile.test.ts  # ${what}`;

/** One side of a session whose other side is hostile; what an engine does around it, done at random. */
class Victim {
  readonly bench: SessionBench;
  readonly prng: Prng;
  readonly aim: Aim;
  violations = 0;
  #strand: Strand;
  #nextStrand = 1;

  constructor(side: Side, prng: Prng) {
    this.bench = new SessionBench(side);
    this.prng = prng;
    this.aim = { nextStream: side === 'relay' ? 1 : 2, strands: [1] };
    this.#strand = this.#connect();
    if (side === 'box') for (let i = 0; i < 8; i++) this.#openOwn();
  }

  /** One record comes in; local peers and time do what they like. */
  suffer(): void {
    const { bench, prng } = this;
    bench.nowMs += prng.chance(0.01) ? 700 : 1;
    bench.appetite = prng.chance(0.5) ? Infinity : prng.int(0, 2_000);
    if (bench.hearText(this.#strand, hostileText(prng, this.aim)) !== undefined) {
      this.violations++;
      bench.session.handleStrandDown(this.#strand, bench.nowMs);
      this.#strand = this.#connect();
    }
    this.#localPeers();
    if (prng.chance(0.3)) bench.poll();
    if (prng.chance(0.1)) bench.session.tick(bench.nowMs);
    bench.told.length = 0;
  }

  #connect(): Strand {
    const strand = this.bench.strand(this.#nextStrand++, this.prng.int(1, 4));
    this.aim.strands = [strand.id, ...this.aim.strands].slice(0, 4);
    return strand;
  }

  #openOwn(): void {
    const { bench } = this;
    bench.session.openStream({ address: Uint8Array.of(192, 0, 2, 1), port: 80 }, [], bench.nowMs);
  }

  #localPeers(): void {
    const { bench, prng } = this;
    const { session } = bench;
    for (const stream of bench.connecting.splice(0)) {
      if (prng.chance(0.6)) session.handleConnected(stream, bench.nowMs);
      else session.resetStream(stream, prng.int(0, 8), bench.nowMs);
    }
    const stream = this.#anyStream();
    if (!stream || stream.dead || !stream.connected) return;
    if (prng.chance(0.3) && session.mayRead(stream)) bench.give(stream, prng.int(1, 2_000));
    if (prng.chance(0.1)) session.handleLocalEnd(stream, bench.nowMs);
    if (prng.chance(0.2)) session.handleLocalWritable(stream, bench.nowMs);
  }

  #anyStream(): Stream | undefined {
    const all = this.bench.session.streams;
    let skip = this.prng.int(0, Math.max(0, all.size - 1));
    for (const stream of all.values()) if (skip-- === 0) return stream;
    return undefined;
  }
}

test.each<Side>(['relay', 'box'])(
  'frames in authentic records, 10,000 at a %s: counted, bounded, forgotten',
  (side) => {
    const victim = new Victim(side, new Prng(seed));
    const { bench } = victim;
    for (let i = 0; i < inputs; i++) {
      try {
        victim.suffer();
      } catch (error) {
        throw new Error(`input ${i}: ${again(side)}`, { cause: error });
      }
      if (i % 500 !== 0) continue;
      expect(bench.session.streams.size, again(side)).toBeLessThanOrEqual(2 * streamsMax);
      expect(bench.pool.usedBytes, again(side)).toBeLessThan(
        2 * receiveBudgetBytes + 2 * streamsMax * creditFloorBytes,
      );
    }
    const { counters } = bench.session;
    // Half of the inputs were damaged; most of that shows.
    expect(victim.violations, again(side)).toBeGreaterThan(inputs / 10);
    expect(counters.violations, again(side)).toBe(victim.violations);
    expect(counters.recordsIn, again(side)).toBe(inputs);
    bench.session.end(bench.nowMs);
    expect(bench.session.streams.size).toBe(0);
    expect(bench.session.heldBytes).toBe(0);
    expect(bench.pool.usedBytes).toBe(0);
  },
);

test('messages on stream 0, half damaged, cut anywhere: heard as said, or the strand ends', () => {
  const prng = new Prng(seed);
  let bench = new SessionBench('relay');
  let strand = bench.strand(1);
  let offset = 0;
  let heard = 0;
  let refused = 0;
  for (let i = 0; i < inputs; i++) {
    const message = Uint8Array.from({ length: Math.floor(prng.logUniform(1, 900)) }, () => prng.u32() & 0xff);
    const framed = framedMessage(message);
    const sent = prng.chance(0.5) ? mutated(prng, framed) : framed;
    bench.nowMs += 1_000;
    let wrong: string | undefined;
    for (let at = 0; at < sent.length && wrong === undefined;) {
      const piece = sent.subarray(at, at + prng.int(1, 400));
      wrong = bench.hear(strand, (w) => w.bytes.set(piece, w.data(0, offset, piece.length)));
      at += piece.length;
      offset += piece.length;
    }
    heard += bench.told.filter((line) => line.startsWith('message')).length;
    bench.told.length = 0;
    expect(bench.pool.usedBytes, again('messages')).toBeLessThan(1_000_000);
    if (wrong === undefined) continue;
    expect(['message-length', 'message-rate', 'credit-exceeded'], again('messages')).toContain(wrong);
    refused++;
    bench = new SessionBench('relay');
    strand = bench.strand(1);
    offset = 0;
  }
  expect(heard, again('messages')).toBeGreaterThan(inputs / 50);
  expect(refused, again('messages')).toBeGreaterThan(inputs / 100);
});
