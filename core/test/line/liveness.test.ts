import { expect, test } from 'vitest';

import { blindSilenceMs, silenceMsMin, silenceRtts } from '../../src/limits.ts';
import { notePatience, pathFellSilent, pathIsLate, silenceLimitMs, strandFellSilent } from '../../src/line/liveness.ts';
import { Path } from '../../src/line/path.ts';
import { Strand, type StrandInfo } from '../../src/strand/strand.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { idleInfo as idle } from '../idle-info.ts';

function pathOf(id: number, ...roles: StrandRole[]): { path: Path; strands: Strand[] } {
  const path = new Path(id);
  const strands = roles.map((role, i) => new Strand(id * 10 + i, id, role, 'answered', 0));
  path.strands.push(...strands);
  for (const strand of strands) strand.update(idle, 0);
  return { path, strands };
}

const only = (...paths: Path[]): Map<number, Path> => new Map(paths.map((path) => [path.id, path]));

const segments = (count: number): StrandInfo => ({
  ...idle,
  unackedSegments: count,
  segmentsInFlight: count,
  bytesInFlight: count * 1_448,
});
/** Something is sent there at a time and never answered. */
function send(path: Path, strand: Strand, nowMs: number, count = 3): void {
  strand.update(segments(count), nowMs);
  notePatience(strand, path, nowMs);
}
/** Silence that neither its round trip explains nor what stands on its line, ms. */
const limitOf = (strand: Strand): number => Math.max(silenceLimitMs(strand.rttMs), strand.drainMs + 20);
/** A segment comes in. */
const hear = (strand: Strand, nowMs: number): void =>
  strand.update({ ...segments(3), segmentsIn: strand.segmentsIn + 1 }, nowMs);

test('silence that a round trip does not explain', () => {
  expect(silenceLimitMs(10)).toBe(silenceMsMin);
  expect(silenceLimitMs(1_000)).toBe(1_000 * silenceRtts);
});

test('a path is silent after its limit, while another is heard', () => {
  const a = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const b = pathOf(2, StrandRole.quick);
  const paths = [a.path, b.path];
  send(a.path, a.strands[1]!, 1_000);
  send(b.path, b.strands[0]!, 1_000);
  hear(b.strands[0]!, 1_090);
  const limitMs = Math.floor(limitOf(a.strands[1]!));
  expect(pathFellSilent(a.path, paths, 1_000 + limitMs)).toBe(false);
  expect(pathFellSilent(a.path, paths, 1_001 + limitMs)).toBe(true);
  expect(pathFellSilent(b.path, paths, 1_001 + limitMs)).toBe(false);
});

test('an idle path is never silent, nor one that is heard on any strand', () => {
  const a = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const b = pathOf(2, StrandRole.quick);
  const paths = [a.path, b.path];
  hear(b.strands[0]!, 5_000);
  expect(pathFellSilent(a.path, paths, 5_000)).toBe(false);
  send(a.path, a.strands[1]!, 5_000);
  hear(a.strands[0]!, 5_100);
  hear(b.strands[0]!, 5_150);
  expect(pathFellSilent(a.path, paths, 5_190)).toBe(false);
  expect(pathFellSilent(a.path, paths, 5_300)).toBe(true);
});

test('without a witness only a long silence counts', () => {
  const a = pathOf(1, StrandRole.quick);
  const b = pathOf(2, StrandRole.quick);
  const paths = [a.path, b.path];
  send(a.path, a.strands[0]!, 1_000);
  send(b.path, b.strands[0]!, 1_000);
  expect(pathFellSilent(a.path, paths, 1_000 + blindSilenceMs)).toBe(false);
  expect(pathFellSilent(a.path, paths, 1_001 + blindSilenceMs)).toBe(true);
  expect(pathFellSilent(a.path, [a.path], 1_001 + blindSilenceMs)).toBe(true);
});

test('a strand that is suspect for itself says nothing of its path once that is heard without it', () => {
  const a = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const b = pathOf(2, StrandRole.quick);
  const [quick, bulk] = a.strands as [Strand, Strand];
  send(a.path, bulk, 1_000);
  bulk.suspect = true;
  a.path.doubtSinceMs = 1_110;
  hear(b.strands[0]!, 1_300);
  expect([pathFellSilent(a.path, [a.path, b.path], 1_300), a.path.usable]).toEqual([true, false]);
  quick.update({ ...idle, segmentsIn: 9 }, 1_300);
  expect([pathFellSilent(a.path, [a.path, b.path], 9_000), a.path.usable]).toEqual([false, true]);
  expect(a.path.unsentBytes).toBe(0);
});

test('a strand is silent while a sibling of its own path is heard', () => {
  const { path, strands } = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const [quick, bulk] = strands as [Strand, Strand];
  send(path, bulk, 1_000);
  hear(quick, 1_080);
  notePatience(quick, path, 1_080);
  // What the other one sent later is behind it, on a line of unknown rate.
  const limitMs = Math.floor(limitOf(bulk));
  expect(path.drainMs).toBeGreaterThan(bulk.drainMs);
  expect(strandFellSilent(bulk, only(path), 1_000 + limitMs)).toBe(false);
  expect(strandFellSilent(bulk, only(path), 1_001 + limitMs)).toBe(true);
  expect(strandFellSilent(quick, only(path), 1_001 + limitMs)).toBe(false);
  quick.suspect = true;
  expect(strandFellSilent(bulk, only(path), 1_001 + limitMs)).toBe(false);
});

test('what waits behind its siblings on a feeble line is not silent, whatever is sent behind it', () => {
  const a = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const b = pathOf(2, StrandRole.quick);
  const bulk = a.strands[1]!;
  // Nobody knows the line's rate yet, and eight segments may take 200 ms.
  send(a.path, bulk, 1_000, 8);
  hear(b.strands[0]!, 1_150);
  expect(strandFellSilent(bulk, only(a.path, b.path), 1_150)).toBe(false);
  expect(pathFellSilent(a.path, [a.path, b.path], 1_150)).toBe(false);
  send(a.path, bulk, 1_200, 80);
  hear(b.strands[0]!, 1_300);
  expect(strandFellSilent(bulk, only(a.path, b.path), 1_300)).toBe(true);
});

test('what the other end may acknowledge late has 60 ms beside its round trip, and no more', () => {
  const { path, strands } = pathOf(1, StrandRole.bulk, StrandRole.quick);
  const [few, other] = strands as [Strand, Strand];
  few.update({ ...segments(1), rttMs: 90 }, 1_000);
  hear(other, 1_149);
  expect(strandFellSilent(few, only(path), 1_150)).toBe(false);
  expect(strandFellSilent(few, only(path), 1_151)).toBe(true);
});

test('a path that is late asks before it is judged', () => {
  const a = pathOf(1, StrandRole.quick);
  send(a.path, a.strands[0]!, 1_000);
  const rttMs = Math.floor(a.strands[0]!.drainMs);
  expect(pathIsLate(a.path, 1_000 + rttMs)).toBe(false);
  expect(pathIsLate(a.path, 1_025 + rttMs)).toBe(true);
  expect(pathFellSilent(a.path, [a.path], 1_025 + rttMs)).toBe(false);
});

test('a verdict does not wait for ever for a witness that is far away', () => {
  const a = pathOf(1, StrandRole.quick);
  const b = pathOf(2, StrandRole.quick);
  const [near, far] = [a.strands[0]!, b.strands[0]!];
  send(a.path, near, 1_000);
  far.update({ ...segments(1), rttMs: 400 }, 1_080);
  const waitMs = silenceLimitMs(near.rttMs) + 35;
  const silent = (nowMs: number): boolean => pathFellSilent(a.path, [a.path, b.path], nowMs);
  expect(silent(999 + waitMs)).toBe(false);
  expect(silent(1_001 + waitMs)).toBe(true);
  // One that should have answered long ago is no help: perhaps all are silent.
  far.update({ ...segments(1), rttMs: 20 }, 1_080);
  expect(silent(1_030 + waitMs)).toBe(false);
});

test('loss recovery is not silence: segments come in while nothing is acknowledged', () => {
  const a = pathOf(1, StrandRole.quick);
  const b = pathOf(2, StrandRole.quick);
  const [strand] = a.strands as [Strand];
  for (let nowMs = 1_000; nowMs < 3_000; nowMs += 50) {
    hear(strand, nowMs);
    hear(b.strands[0]!, nowMs);
    expect(pathFellSilent(a.path, [a.path, b.path], nowMs)).toBe(false);
  }
  expect(strand.stuck(3_000)).toBe(true);
});
