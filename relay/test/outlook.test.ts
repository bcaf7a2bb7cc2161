import { afterEach, expect, test, vi } from 'vitest';

import { lookAround, Outlook, type Surroundings } from '../src/outlook.ts';

const outlooks: Outlook[] = [];
afterEach(() => {
  for (const one of outlooks.splice(0)) one.stop();
});

test('a relay sees its own addresses, loopback too, and the same ones at every look', async () => {
  const now = await lookAround();
  expect(now.own).toContain('127.0.0.1');
  expect(await lookAround()).toEqual(now);
});

test('a change is told once', async () => {
  const now = await lookAround();
  const seen: Surroundings[] = [];
  const outlook = new Outlook({ ...now, own: ['192.0.2.1'] }, (one) => seen.push(one));
  outlooks.push(outlook);
  await vi.waitFor(() => expect(seen).toEqual([now]), { timeout: 10_000 });
  expect(outlook.now).toEqual(now);
});
