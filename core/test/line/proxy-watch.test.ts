import { expect, test } from 'vitest';

import { Path } from '../../src/line/path.ts';
import { pathFellDeaf, ProxyWatch } from '../../src/line/proxy-watch.ts';
import { Strand } from '../../src/strand/strand.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { idleInfo } from '../idle-info.ts';

const info = { ...idleInfo, rttMs: 10, minRttMs: 8 };

/** A path of one strand that was heard at time 0. */
function path(id: number): { path: Path; strand: Strand } {
  const made = new Path(id);
  const strand = new Strand(id, id, StrandRole.quick, 'answered', 0);
  strand.update(info, 0);
  made.strands.push(strand);
  return { path: made, strand };
}

test.each([
  ['as long as TCP says', 8, [9, 12, 10], false],
  ['queues now and then', 8, [60, 9, 200], false],
  ['queues at first', 8, [60, 70], false],
  ['a proxy nearby', 8, [60, 90, 70], true],
  ['a satellite', 1, [620, 590, 600, 700], true],
  ['nothing known of TCP', 0, [60, 70, 80], false],
])('PING takes %s', (_, minRttMs, pings, proxied) => {
  const watch = new ProxyWatch();
  for (const ms of pings) watch.take(ms);
  expect(watch.sees(minRttMs)).toBe(proxied);
});

test('a proxy halfway is seen when many PINGs have found none shorter', () => {
  const watch = new ProxyWatch();
  for (let i = 0; i < 39; i++) watch.take(70 + (i % 7));
  expect(watch.sees(40)).toBe(false);
  watch.take(75);
  expect(watch.sees(40)).toBe(true);
  expect(watch.sees(60)).toBe(false);
  watch.take(55);
  expect(watch.sees(40)).toBe(false);
});

test('through a proxy segments are no sign of life, and the way is as long as PING says', () => {
  const { path: own, strand } = path(1);
  expect([own.rttMs, own.bareDelayMs]).toEqual([10, 4]);
  for (let i = 0; i < 3; i++) own.takePing(80, 0);
  expect([own.proxied, own.recordsOnly, strand.recordsOnly]).toEqual([true, true, true]);
  expect([own.rttMs, own.bareDelayMs]).toEqual([80, 40]);
  strand.pingToken = 1;
  strand.update({ ...info, segmentsIn: 9 }, 100);
  expect([own.lastHeardMs, strand.silentMs(300)]).toEqual([0, 200]);
  strand.update({ ...info, segmentsIn: 20 }, 300);
  expect(strand.silentMs(300)).toBe(200);
  strand.heardRecord(310);
  expect([own.lastHeardMs, strand.silentMs(400)]).toEqual([310, 90]);
  strand.pingToken = -1;
  strand.update({ ...info, segmentsIn: 21 }, 420);
  expect(strand.silentMs(900)).toBe(0);
  // A shorter answer says that it was no proxy.
  own.takePing(9, 0);
  expect([own.recordsOnly, strand.recordsOnly]).toEqual([false, false]);
});

test('deaf is a path that owes for long, while the records of another one come', () => {
  const [first, second] = [path(1), path(2)];
  const both = [first.path, second.path];
  first.strand.pingToken = 1;
  const at = (nowMs: number, witnessMs: number): boolean => {
    first.strand.update({ ...info, segmentsIn: nowMs }, nowMs);
    second.strand.heardRecord(witnessMs);
    return pathFellDeaf(first.path, both, nowMs);
  };
  expect(at(100, 100)).toBe(false);
  expect(at(490, 490)).toBe(false);
  expect(at(520, 100)).toBe(false);
  expect(at(530, 525)).toBe(true);
  first.strand.heardRecord(600);
  expect(at(900, 900)).toBe(false);
  first.strand.pingToken = -1;
  expect(at(5_000, 5_000)).toBe(false);
  expect(pathFellDeaf(first.path, [first.path], 9_000)).toBe(false);
});

test('without another one to compare it with a path is deaf after seconds', () => {
  const { path: own, strand } = path(1);
  strand.pingToken = 1;
  strand.update({ ...info, segmentsIn: 9 }, 1_000);
  strand.update({ ...info, segmentsIn: 20 }, 2_990);
  expect(strand.unansweredMs(2_990)).toBe(1_990);
  expect(pathFellDeaf(own, [own], 2_990)).toBe(false);
  expect(pathFellDeaf(own, [own], 3_010)).toBe(true);
  strand.heardRecord(3_020);
  expect(pathFellDeaf(own, [own], 3_030)).toBe(false);
  expect(strand.unansweredMs(3_030)).toBe(10);
});
