import type { Path } from '@tresse/core';
import { describe, expect, test } from 'vitest';

import { RateMeter } from '../src/worker/rate-meter.ts';
import { SegmentFill } from '../src/worker/segment-fill.ts';

const path = (id: number, bytesIn: number, bytesOut: number): Path => ({ id, bytesIn, bytesOut }) as unknown as Path;

describe('how full segments are', () => {
  test('says nothing before there are enough segments', () => {
    const fill = new SegmentFill();
    expect(fill.update(7 * 1_448, 7, 0, 1_448)).toBe(0);
    expect(fill.update(8 * 1_448, 8, 2, 1_448)).toBe(1);
  });

  test('tells a trickle from a transfer, and follows', () => {
    const fill = new SegmentFill();
    expect(fill.update(1_000, 10, 0, 1_000)).toBeCloseTo(0.1);
    expect(fill.update(1_000 + 20_000, 30, 0, 1_000)).toBe(1);
    expect(fill.update(21_000 + 2_000, 50, 0, 1_000)).toBeCloseTo(0.1);
  });

  test('a transfer that begins after a trickle counts when the trickle has been delivered long enough', () => {
    const fill = new SegmentFill();
    fill.update(5_000, 100, 0, 1_000);
    expect(fill.update(25_000, 120, 20, 1_000)).toBeCloseTo(0.05);
    expect(fill.update(35_000, 130, 20, 1_000)).toBeCloseTo(0.05);
    expect(fill.update(60_000, 155, 20, 1_000)).toBe(1);
  });

  test('a long flight needs no more marks than a short one', () => {
    const fill = new SegmentFill();
    for (let n = 100; n <= 50_000; n += 100) fill.update(n * 1_448, n, Math.min(n, 8_000), 1_448);
    expect(fill.update(50_000 * 1_448, 50_000, 8_000, 1_448)).toBe(1);
  });

  test('never above one, whatever is sent twice', () => {
    expect(new SegmentFill().update(1_000_000, 10, 0, 1_448)).toBe(1);
  });
});

describe('rates of paths', () => {
  test('bits per second between two readings', () => {
    const meter = new RateMeter();
    meter.sample([path(1, 1_000, 0)], 0);
    expect(meter.rates(1)).toMatchObject({ inBps: 0, outBps: 0 });
    meter.sample([path(1, 126_000, 250_000)], 1_000);
    expect(meter.rates(1)).toMatchObject({ inBps: 1_000_000, outBps: 2_000_000 });
    meter.sample([path(1, 126_000, 250_000)], 2_000);
    expect(meter.rates(1)).toMatchObject({ inBps: 0, outBps: 0 });
  });

  test('readings too close together change nothing, paths are apart', () => {
    const meter = new RateMeter();
    meter.sample([path(1, 0, 0), path(2, 0, 0)], 0);
    meter.sample([path(1, 1_000, 0), path(2, 2_000, 0)], 500);
    meter.sample([path(1, 9_000, 0), path(2, 9_000, 0)], 600);
    expect(meter.rates(1).inBps).toBe(16_000);
    expect(meter.rates(2).inBps).toBe(32_000);
    expect(meter.rates(3)).toEqual({ inBps: 0, outBps: 0 });
  });
});
