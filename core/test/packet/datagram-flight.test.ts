import { Prng } from '@tresse/kit';
import { expect, test } from 'vitest';

import { DatagramFlight } from '../../src/packet/datagram-flight.ts';
import { PathReceipts } from '../../src/packet/path-receipts.ts';
import { type Report, reportBytes, readReport, writeReport } from '../../src/packet/report.ts';

const none = (): Report => ({ path: 0, highest: 0, arrivedUs: 0, waitedUs: 0, packets: 0, bytes: 0, largest: 0 });

interface Run {
  readonly sendMs: number;
  /** Bytes per ms of the line, its delay there and back, and what is lost. */
  readonly rate: number;
  readonly wayMs: number;
  readonly loss?: number;
  /** A datagram of 1,000 bytes is sent every so many ms. */
  readonly gapMs: number;
  /** The receiver's clock is ahead by this. */
  readonly clockMs?: number;
}

/** Datagrams over a line with a queue, and reports back. */
function drive(flight: DatagramFlight, run: Run, fromMs = 0, receipts: PathReceipts = new PathReceipts(1)): void {
  const prng = new Prng(7);
  const clockMs = run.clockMs ?? 0;
  const first = flight.next;
  const events: { atMs: number; act: () => void }[] = [];
  let freeMs = fromMs;
  for (let ms = fromMs; ms < fromMs + run.sendMs; ms += run.gapMs) {
    freeMs = Math.max(freeMs, ms) + 1_000 / run.rate;
    const arrivesMs = freeMs + run.wayMs;
    events.push({
      atMs: ms,
      act: () => {
        const number = flight.give(1_000, false, ms);
        if (prng.float() < (run.loss ?? 0)) return;
        events.push({
          atMs: arrivesMs,
          act: () => {
            receipts.take(number, 1_000, 1_000, arrivesMs + clockMs);
            receipts.owe(true, arrivesMs + clockMs);
          },
        });
      },
    });
  }
  for (let ms = fromMs; ms < fromMs + run.sendMs + 1_000; ms += 5) {
    events.push({
      atMs: ms,
      act: () => {
        if (receipts.dueMs > ms + clockMs) return;
        const report = none();
        receipts.report(report, ms + clockMs);
        events.push({ atMs: ms + run.wayMs, act: () => expect(flight.take(report, ms + run.wayMs)).toBe(true) });
      },
    });
  }
  while (events.length > 0) {
    events.sort((a, b) => a.atMs - b.atMs);
    events.shift()?.act();
  }
  expect(flight.next).toBeGreaterThan(first);
}

test('a report comes back as it went', () => {
  const bytes = new Uint8Array(40).fill(0xee);
  const report = {
    path: 3,
    highest: 2 ** 45,
    arrivedUs: 4e9,
    waitedUs: 77,
    packets: 2 ** 40,
    bytes: 2 ** 47,
    largest: 1_472,
  };
  writeReport(bytes, 2, report);
  const read = none();
  expect(readReport(bytes, 2, 2 + reportBytes, read)).toBe(true);
  expect(read).toEqual(report);
  expect(readReport(bytes, 2, 31, read)).toBe(false);
  expect(readReport(bytes, 1, 1 + reportBytes, read)).toBe(false);
  writeReport(bytes, 2, { ...report, packets: report.highest + 2 });
  expect(readReport(bytes, 2, 2 + reportBytes, read)).toBe(false);
});

test('the rate is what the line carries, the round trip without the wait for a report', () => {
  const flight = new DatagramFlight();
  drive(flight, { sendMs: 2_000, rate: 1_000, wayMs: 20, gapMs: 0.9 });
  expect(flight.deliveryRate / 1e6).toBeCloseTo(1, 1);
  expect(flight.minRttMs).toBeGreaterThanOrEqual(40);
  expect(flight.minRttMs).toBeLessThan(47);
  expect(flight.rttMs).toBeGreaterThan(150);
  expect(flight.bytesInFlight).toBe(0);
  expect(flight.lossRatio).toBe(0);
  expect(flight.mtu.limitBytes).toBe(1_200);
});

test('a queue shows in how long the way has become, whatever the clocks say', () => {
  for (const clockMs of [0, 123_456_789, 4_294_967 - 1_500]) {
    const flight = new DatagramFlight();
    const receipts = new PathReceipts(1);
    drive(flight, { sendMs: 1_000, rate: 1_000, wayMs: 20, gapMs: 2, clockMs }, 0, receipts);
    expect(flight.queueMs).toBeLessThan(1);
    drive(flight, { sendMs: 1_000, rate: 1_000, wayMs: 20, gapMs: 0.8, clockMs }, 2_000.5, receipts);
    expect(flight.queueMs).toBeGreaterThan(200);
  }
});

test('what is sent with little to send is a lower bound', () => {
  const flight = new DatagramFlight();
  for (let ms = 0; ms < 500; ms += 50) {
    const highest = flight.give(500, true, ms);
    flight.take(
      { ...none(), path: 1, highest, arrivedUs: (ms + 10) * 1_000, packets: highest + 1, bytes: (highest + 1) * 500 },
      ms + 20,
    );
  }
  expect(flight.rttMs).toBe(20);
  expect(flight.bytesInFlight).toBe(0);
  expect(flight.deliveryRate).toBe(0);
});

test('losses are counted, and are not on their way', () => {
  const flight = new DatagramFlight();
  drive(flight, { sendMs: 5_000, rate: 10_000, wayMs: 30, gapMs: 1, loss: 0.05 });
  expect(flight.lossRatio).toBeGreaterThan(0.02);
  expect(flight.lossRatio).toBeLessThan(0.09);
  expect(flight.bytesInFlight).toBeLessThan(5_000);
});

test('a report that cannot be true changes nothing', () => {
  const flight = new DatagramFlight();
  for (let i = 0; i < 10; i++) flight.give(100, false, i);
  const good = { ...none(), path: 1, highest: 4, arrivedUs: 1, packets: 5, bytes: 500 };
  expect(flight.take({ ...good, highest: 10 }, 50)).toBe(false);
  expect(flight.take({ ...good, bytes: 1_001 }, 50)).toBe(false);
  expect(flight.bytesInFlight).toBe(1_000);
  expect(flight.take(good, 50)).toBe(true);
  // Overtaken by a newer one.
  expect(flight.take({ ...good, highest: 3 }, 60)).toBe(true);
  expect(flight.take({ ...good, highest: 6, bytes: 400 }, 60)).toBe(true);
  expect(flight.bytesInFlight).toBe(500);
});

test('a peer that reports nothing costs bounded memory', () => {
  const flight = new DatagramFlight();
  for (let i = 0; i < 200_000; i++) flight.give(1_000, false, i);
  expect(flight.packetsInFlight).toBeLessThanOrEqual(65_536);
  expect(flight.bytesInFlight).toBeLessThanOrEqual(65_536_000);
  expect(flight.take({ ...none(), path: 1, highest: 199_999, packets: 1, bytes: 1_000 }, 200_000)).toBe(true);
  expect(flight.bytesInFlight).toBe(0);
});

test('reports are due when something came: soon, but not for each packet', () => {
  const receipts = new PathReceipts(1);
  expect(receipts.dueMs).toBe(Infinity);
  receipts.take(0, 100, 100, 1_000);
  receipts.owe(true, 1_000);
  expect(receipts.dueMs).toBe(1_000);
  receipts.report(none(), 1_000);
  for (let i = 1; i < 10; i++) {
    receipts.take(i, 100, 100, 1_001);
    receipts.owe(true, 1_001);
  }
  expect(receipts.dueMs).toBe(1_025);
  for (let i = 10; i < 40; i++) {
    receipts.take(i, 100, 100, 1_002);
    receipts.owe(true, 1_002);
  }
  // ... but no more often than every 5 ms.
  expect(receipts.dueMs).toBe(1_005);
});

test('reports alone are reported seldom', () => {
  const receipts = new PathReceipts(1);
  for (let i = 0; i < 63; i++) {
    receipts.take(i, 0, 62, i);
    receipts.owe(false, i);
    expect(receipts.dueMs).toBe(Infinity);
  }
  receipts.owe(false, 63);
  expect(receipts.dueMs).toBe(63);
});

/** A flight of a window of ten datagrams of 1,000 bytes over a line, reported by a receiver whose clock leaps. */
function leaping(leapMs: number): DatagramFlight {
  const flight = new DatagramFlight();
  const receipts = new PathReceipts(1);
  let aheadMs = 0;
  for (let ms = 0; ms < 2_000; ms += 50) {
    if (ms === 1_000) aheadMs = leapMs;
    const number = flight.give(1_000, false, ms);
    receipts.take(number, 1_000, 1_000, ms + 20 + (ms > 1_000 ? aheadMs : 0));
    const report = none();
    receipts.report(report, ms + 21 + aheadMs);
    flight.take(report, ms + 41);
  }
  return flight;
}

test('a clock that leaps makes no round trip shorter, and no queue', () => {
  for (const leapMs of [0, 30, 400, 5_000]) {
    const flight = leaping(leapMs);
    expect(flight.minRttMs, `${leapMs}`).toBeGreaterThan(39 - (leapMs === 30 ? 30 : 0));
    expect(flight.rttMs).toBeCloseTo(40, -1);
    if (leapMs !== 30) expect(flight.queueMs, `${leapMs}`).toBeLessThan(5);
  }
});

test('the shortest round trip of long ago is forgotten', () => {
  const flight = new DatagramFlight();
  const answer = (sentMs: number, rttMs: number): void => {
    const highest = flight.give(100, true, sentMs);
    const report = { ...none(), path: 1, highest, arrivedUs: 0, packets: highest + 1, bytes: (highest + 1) * 100 };
    flight.take(report, sentMs + rttMs);
  };
  answer(0, 10);
  for (let ms = 1_000; ms < 25_000; ms += 1_000) answer(ms, 60);
  expect(flight.minRttMs).toBe(10);
  for (let ms = 25_000; ms < 95_000; ms += 1_000) answer(ms, 60);
  expect(flight.minRttMs).toBe(60);
});

test('between reports what is on its way grows less, as fast as the line was told to carry', () => {
  const flight = new DatagramFlight();
  drive(flight, { sendMs: 1_000, rate: 1_000, wayMs: 20, gapMs: 1 });
  const nowMs = flight.heardMs;
  for (let i = 0; i < 20; i++) flight.give(1_000, false, nowMs);
  expect(flight.bytesStillInFlight(nowMs)).toBe(20_000);
  const tenLater = flight.bytesStillInFlight(nowMs + 10);
  expect(tenLater).toBeLessThan(13_000);
  expect(tenLater).toBeGreaterThan(8_000);
  // ... but a report that does not come is no proof of anything.
  expect(flight.bytesStillInFlight(nowMs + 5_000)).toBe(flight.bytesStillInFlight(nowMs + 30));
});

test('a queue that runs over, however short, holds the sender back for a while; steady loss does not', () => {
  const flight = new DatagramFlight();
  const receipts = new PathReceipts(1);
  drive(flight, { sendMs: 8_000, rate: 10_000, wayMs: 10, gapMs: 1, loss: 0.05 }, 0, receipts);
  expect(flight.spilt(9_500)).toBe(false);
  drive(flight, { sendMs: 500, rate: 10_000, wayMs: 10, gapMs: 1, loss: 0.6 }, 10_000, receipts);
  expect(flight.spilt(10_400)).toBe(true);
  expect(flight.startBytes(10_400)).toBe(0);
});

test('what is lost for its size says nothing of how full the line is', () => {
  const flight = new DatagramFlight();
  const receipts = new PathReceipts(1);
  flight.mtu.take(0, 1_452, 10, 0);
  for (let ms = 0; ms < 2_000; ms += 5) {
    const size = ms % 10 === 0 ? Math.min(1_452, flight.mtu.limitBytes) : 572;
    const number = flight.give(size + 28, false, ms);
    if (ms > 1_000 && size > 1_300) continue;
    receipts.take(number, size + 28, size, ms + 10);
    const report = none();
    receipts.report(report, ms + 11);
    flight.take(report, ms + 20);
  }
  expect(flight.mtu.shrinks).toBe(1);
  expect(flight.mtu.limitBytes).toBe(1_200);
  expect(flight.spilt(2_000)).toBe(false);
  expect(flight.lossRatio).toBeLessThan(0.05);
});
