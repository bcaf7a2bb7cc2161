import { expect, test } from 'vitest';

import { type Flight, LineFill, type LineView } from '../../src/line/line-fill.ts';

const allowed = { rtts: 0.15, msMin: 15, msMax: 40 };

interface LineState {
  outstanding: number;
  acked: number;
  /** Carried by other strands. */
  besideBytes: number;
  rttMs: number;
  returnMs: number;
}

/** A line of 40 ms on which `state` says what is on its way. */
function line(): { fill: LineFill; state: LineState } {
  const state = { outstanding: 0, acked: 0, besideBytes: 0, rttMs: 40, returnMs: 0 };
  const view: LineView = {
    get rttMs() {
      return state.rttMs;
    },
    bareRttMs: 40,
    unsentBytes: 0,
    outstandingBytes: () => state.outstanding,
    returnQueueMs: () => state.returnMs,
    helping: () => false,
    get bytesInFlight() {
      return state.outstanding;
    },
    get bytesAcked() {
      return state.acked;
    },
    get carriedBytes() {
      return state.acked + state.besideBytes;
    },
  };
  return { fill: new LineFill(view, 1, allowed), state };
}

const flight = (state: { outstanding: number; acked: number; rttMs: number }, bytesInFlight: number): Flight => ({
  rttMs: state.rttMs,
  bytesInFlight,
  bytesAcked: state.acked,
  paced: false,
  unsentBytes: 0,
});

/** So many ms at a rate, in bytes per ms, with so much on its way. */
function carry(of: ReturnType<typeof line>, fromMs: number, forMs: number, perMs: number, outstanding: number): number {
  for (let ms = fromMs; ms < fromMs + forMs; ms += 10) {
    of.state.acked += perMs * 10;
    of.state.outstanding = outstanding;
    of.fill.addSample(flight(of.state, outstanding), perMs * 1_000, false, false, ms);
  }
  return fromMs + forMs;
}

test('PINGs of a calm line tell the round trip it has on average, within bounds', () => {
  const { fill, state } = line();
  expect(fill.baseRttMs).toBe(40);
  for (let i = 0; i < 100; i++) fill.takePing(52, 1_000 + i * 250);
  expect(fill.baseRttMs).toBeCloseTo(52, 3);
  for (let i = 0; i < 100; i++) fill.takePing(500, 30_000 + i * 250);
  expect(fill.baseRttMs).toBe(60);
  const { fill: busy, state: full } = line();
  full.outstanding = 100_000;
  busy.takePing(90, 1_000);
  full.outstanding = 0;
  full.returnMs = 30;
  busy.takePing(90, 2_000);
  expect(busy.baseRttMs).toBe(40);
  expect(state.outstanding).toBe(0);
});

test('a line that never had much on its way is known by its rate all the same', () => {
  const of = line();
  // The other end takes its time to answer, which is longer than what is on its way takes.
  for (let i = 0; i < 100; i++) of.fill.takePing(60, 1_000 + i * 250);
  of.fill.addSample(flight(of.state, 20_000), 4_000_000, true, false, 30_000);
  expect(of.fill.measured).toBe(false);
  carry(of, 30_000, 500, 4_000, 80_000);
  expect(of.fill.measured).toBe(true);
  expect(of.fill.bytesPerSecond / 1e6).toBeCloseTo(4, 1);
});

test('a strand that is given little does not make its line slow', () => {
  const of = line();
  let ms = carry(of, 0, 3_000, 4_000, 200_000);
  expect(of.fill.bytesPerSecond / 1e6).toBeCloseTo(4, 1);
  expect(of.fill.hungry(ms)).toBe(false);
  // A cold window, on a line that shakes.
  of.state.rttMs = 70;
  ms = carry(of, ms, 5_000, 800, 50_000);
  expect(of.fill.hungry(ms)).toBe(true);
  expect(of.fill.bytesPerSecond / 1e6).toBeCloseTo(4, 1);
});

test('what goes beside a strand counts, as far as the line carried it', () => {
  for (const carried of [true, false]) {
    const of = line();
    const ms = carry(of, 0, 3_000, 4_000, 200_000);
    of.state.rttMs = 60;
    for (let after = 0; after < 5_000; after += 10) {
      of.state.acked += 2_500 * 10;
      if (carried) of.state.besideBytes += 1_500 * 10;
      of.fill.addSample(flight(of.state, 125_000), 2_500_000, false, false, ms + after);
    }
    expect(of.fill.bytesPerSecond / 1e6).toBeCloseTo(carried ? 4 : 2.5, 1);
  }
});

test('a line that has become slow is found out by what stands on it', () => {
  const of = line();
  let ms = carry(of, 0, 3_000, 4_000, 200_000);
  of.state.rttMs = 200;
  ms = carry(of, ms, 5_000, 1_000, 200_000);
  expect(of.fill.bytesPerSecond / 1e6).toBeLessThan(1.2);
  expect(of.fill.hungry(ms)).toBe(false);
});
