import { FreeListPool, heapSlab } from '@tresse/kit';
import { expect, test } from 'vitest';

import { dataOverheadBytes, recordHeaderBytes, tagBytes } from '../../src/limits.ts';
import { Path } from '../../src/line/path.ts';
import { RecordFlight } from '../../src/line/record-flight.ts';
import { Strand } from '../../src/strand/strand.ts';
import { Chunk } from '../../src/stream/chunk.ts';
import { CreditBudget } from '../../src/stream/credit.ts';
import { Stream } from '../../src/stream/stream.ts';
import { StreamClass } from '../../src/wire/frame.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { idleInfo } from '../idle-info.ts';
import { target } from '../session/session-bench.ts';

const overhead = dataOverheadBytes + recordHeaderBytes + tagBytes;
const pool = new FreeListPool(heapSlab, 0);
const stream = new Stream(1, StreamClass.bulk, target, [], true, pool, new CreditBudget(0), 0);

function give(flight: RecordFlight, length: number, nowMs: number): Chunk {
  const chunk = new Chunk(stream, 0, length);
  chunk.sentMs = nowMs;
  flight.give(chunk, nowMs);
  return chunk;
}

test('what was given is on its way until the other end has it', () => {
  const flight = new RecordFlight();
  const first = give(flight, 1_000, 0);
  const second = give(flight, 2_000, 5);
  expect(flight.bytesInFlight).toBe(3_000 + 2 * overhead);
  flight.acknowledge(first, 40);
  expect([flight.bytesInFlight, flight.bytesAcked, flight.rttMs]).toEqual([2_000 + overhead, 1_000 + overhead, 40]);
  flight.acknowledge(second, 45);
  expect([flight.bytesInFlight, flight.rttMs]).toEqual([0, 40]);
  // Word of it again changes nothing.
  flight.acknowledge(first, 900);
  expect([flight.bytesInFlight, flight.rttMs]).toEqual([0, 40]);
});

test('a full line shows its rate, however its acknowledgements are bunched', () => {
  const flight = new RecordFlight();
  const bytesPerMs = 2_500;
  const onWay: { chunk: Chunk; hasMs: number }[] = [];
  let freeMs = 0;
  for (let nowMs = 0; nowMs < 2_000; nowMs += 2) {
    while (flight.bytesInFlight < 300_000) {
      const chunk = give(flight, 25_000 - overhead, nowMs);
      freeMs = Math.max(freeMs, nowMs) + 25_000 / bytesPerMs;
      onWay.push({ chunk, hasMs: freeMs + 70 });
    }
    if (nowMs % 20 !== 0) continue;
    const had = onWay.filter(({ hasMs }) => hasMs <= nowMs);
    onWay.splice(0, had.length);
    const newest = had.at(-1);
    if (newest) flight.acknowledge(newest.chunk, nowMs);
    if (nowMs > 500) expect(flight.deliveryRate / 1_000 / bytesPerMs).toBeCloseTo(1, 0.5);
  }
  expect(flight.deliveryRate / 1_000 / bytesPerMs).toBeCloseTo(1, 1);
});

test('what went elsewhere is no longer on its way once nothing is unacknowledged', () => {
  const flight = new RecordFlight();
  give(flight, 1_000, 0);
  flight.settle();
  expect(flight.bytesInFlight).toBe(0);
  const next = give(flight, 500, 100);
  flight.acknowledge(next, 150);
  expect([flight.bytesInFlight, flight.rttMs, flight.deliveryRate]).toEqual([0, 50, ((500 + overhead) * 1_000) / 50]);
});

test('through a proxy a path reckons by records: outstanding, carried, round trip', () => {
  const path = new Path(1);
  const strand = new Strand(1, 1, StrandRole.bulk, 'answered', 0);
  path.strands.push(strand);
  // All is acknowledged at once, by the proxy.
  strand.update({ ...idleInfo, rttMs: 0.3, minRttMs: 0.2, bytesAcked: 50_000 }, 0);
  const chunk = give(strand.flight, 20_000, 0);
  give(strand.flight, 20_000, 10);
  expect([path.outstandingBytes(10), path.bytesAcked, path.rttMs]).toEqual([0, 50_000, 0.3]);
  for (let i = 0; i < 3; i++) path.takePing(80, 0);
  expect(path.proxied).toBe(true);
  expect([path.outstandingBytes(10), path.bytesAcked, path.rttMs]).toEqual([2 * (20_000 + overhead), 0, 80]);
  strand.flight.acknowledge(chunk, 95);
  path.addAcked(strand, chunk, 95);
  expect([path.outstandingBytes(95), path.bytesAcked]).toEqual([20_000 + overhead, 20_000 + overhead]);
  expect(path.rttMs).toBe(95);
});

test('until PING has told whether a proxy is there, little is given that nobody has seen at the other end', () => {
  const path = new Path(1);
  const strand = new Strand(1, 1, StrandRole.bulk, 'answered', 0);
  path.strands.push(strand);
  let given = 0;
  const fill = (): void => {
    for (let nowMs = 0; nowMs < 200 && path.outstandingBytes(nowMs) < path.windowBytes(nowMs); nowMs += 0.1) {
      give(strand.flight, 10_000, nowMs);
      given += 10_000;
      strand.update({ ...idleInfo, rttMs: 0.3, minRttMs: 0.2, bytesAcked: given }, nowMs);
      path.addSample(strand, 100e6, false, nowMs);
    }
  };
  fill();
  expect(given).toBeLessThan(300_000);
  for (let i = 0; i < 3; i++) path.takePing(0.5, 0);
  fill();
  expect(given).toBeGreaterThan(3_000_000);
});
