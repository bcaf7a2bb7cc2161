import fc from 'fast-check';
import { expect, test } from 'vitest';

import { Allowance } from '../../src/line/allowance.ts';

test('without a limit everything may be sent', () => {
  const allowance = new Allowance();
  allowance.spend(1e9, 0);
  expect([allowance.ready(0), allowance.limitBps]).toEqual([true, 0]);
});

test('what was overdrawn is waited for', () => {
  const allowance = new Allowance();
  allowance.limit(8e6, 0);
  expect(allowance.limitBps).toBe(8e6);
  expect(allowance.ready(10)).toBe(true);
  // 5 ms saved are 5,000 bytes; 30 kB with 21 headers are 31.1.
  allowance.spend(30_000, 10);
  expect(allowance.ready(36)).toBe(false);
  expect(allowance.ready(37)).toBe(true);
});

test('a limit that is lifted or set takes effect at once', () => {
  const allowance = new Allowance();
  allowance.limit(64_000, 0);
  allowance.spend(50_000, 0);
  expect(allowance.ready(1_000)).toBe(false);
  allowance.limit(0, 1_000);
  expect(allowance.ready(1_000)).toBe(true);
  allowance.limit(80e6, 1_000);
  expect(allowance.ready(1_006)).toBe(true);
});

test('however it is asked, no more is sent than the limit and what may be saved', () => {
  const chunk = fc.record({
    gapMs: fc.double({ min: 0, max: 50, noNaN: true }),
    bytes: fc.integer({ min: 1, max: 65_600 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 64_000, max: 1e9 }), fc.array(chunk, { maxLength: 200 }), (bps, chunks) => {
      const allowance = new Allowance();
      allowance.limit(bps, 0);
      let nowMs = 0;
      let sent = 0;
      let last = 0;
      for (const { gapMs, bytes } of chunks) {
        nowMs += gapMs;
        if (!allowance.ready(nowMs)) continue;
        allowance.spend(bytes, nowMs);
        last = bytes + Math.ceil(bytes / 1_448) * 52;
        sent += last;
      }
      expect(sent - last).toBeLessThanOrEqual((nowMs * bps) / 8_000 + Math.max(3_000, (5 * bps) / 8_000) + 1e-3);
    }),
  );
});
