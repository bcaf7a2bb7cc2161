import { expect, test } from 'vitest';

import { TcpInfo } from '../src/tcp-info.ts';
import { connected, hear, say } from './connection.ts';

test('a connection told by the kernel', async () => {
  const { near, far, close } = await connected();
  const info = new TcpInfo();
  expect(info.read(near)).toBe(true);
  expect(info.state).toBe(1);
  const before = { segmentsIn: info.segmentsIn, acked: info.bytesAcked };
  say(near, 'x'.repeat(5000));
  await hear(far);
  say(far, 'y'.repeat(300));
  await hear(near);
  expect(info.read(near)).toBe(true);
  expect(info.bytesAcked - before.acked).toBe(5000);
  expect(info.bytesSent).toBe(5000);
  expect(info.bytesReceived).toBe(300);
  expect(info.segmentsIn).toBeGreaterThan(before.segmentsIn);
  expect(info.dataSegmentsIn).toBe(1);
  expect(info.dataSegmentsOut).toBeGreaterThan(0);
  expect(info.rttUs).toBeGreaterThan(0);
  expect(info.rttUs).toBeLessThan(10_000_000);
  expect(info.rttVarUs).toBeGreaterThan(0);
  expect(info.minRttUs).toBeLessThan(10_000_000);
  expect(info.sndMss).toBeGreaterThan(500);
  expect(info.sndCwnd).toBeGreaterThan(1);
  expect(info.deliveryRate).toBeGreaterThan(0);
  expect(typeof info.deliveryRateAppLimited).toBe('boolean');
  expect(info.pacingRate).toBeGreaterThan(0);
  expect([info.unackedSegments, info.lostSegments, info.retransmitsTotal, info.retransmits]).toEqual([0, 0, 0, 0]);
  expect([info.unsentBytes, info.bytesRetransmitted]).toEqual([0, 0]);
  close();
});

test('what is no TCP socket leaves the former answer', async () => {
  const { near, close } = await connected();
  const info = new TcpInfo();
  expect(info.read(near)).toBe(true);
  close();
  expect(info.read(-1)).toBe(false);
  expect(info.state).toBe(1);
});
