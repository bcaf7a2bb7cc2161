import { expect, test } from 'vitest';

import { blindSilenceMs, silenceMsMin, silenceRtts } from '../src/limits.ts';
import { pathFellSilent, silenceLimitMs, strandFellSilent } from '../src/liveness.ts';
import { StrandRole } from '../src/opening.ts';
import { Path } from '../src/path.ts';
import { Strand } from '../src/strand.ts';
import { idleInfo as idle } from './idle-info.ts';

function pathOf(id: number, ...roles: StrandRole[]): { path: Path; strands: Strand[] } {
  const path = new Path(id);
  const strands = roles.map((role, i) => new Strand(id * 10 + i, id, role, 'answered', 0));
  path.strands.push(...strands);
  for (const strand of strands) strand.update(idle, 0);
  return { path, strands };
}

/** Something is sent there at a time and never answered. */
const send = (strand: Strand, nowMs: number): void =>
  strand.update({ ...idle, unackedSegments: 3, segmentsInFlight: 3, bytesInFlight: 3 * 1_448 }, nowMs);
/** A segment comes in. */
const hear = (strand: Strand, nowMs: number): void =>
  strand.update(
    { ...idle, segmentsIn: strand.segmentsIn + 1, unackedSegments: 3, segmentsInFlight: 3, bytesInFlight: 3 * 1_448 },
    nowMs,
  );

test('silence that a round trip does not explain', () => {
  expect(silenceLimitMs(10)).toBe(silenceMsMin);
  expect(silenceLimitMs(1_000)).toBe(1_000 * silenceRtts);
});

test('a path is silent after its limit, while another is heard', () => {
  const a = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const b = pathOf(2, StrandRole.quick);
  const paths = [a.path, b.path];
  send(a.strands[1]!, 1_000);
  send(b.strands[0]!, 1_000);
  hear(b.strands[0]!, 1_090);
  const limitMs = Math.floor(silenceLimitMs(a.path.drainMs));
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
  send(a.strands[1]!, 5_000);
  hear(a.strands[0]!, 5_100);
  hear(b.strands[0]!, 5_150);
  expect(pathFellSilent(a.path, paths, 5_190)).toBe(false);
  expect(pathFellSilent(a.path, paths, 5_300)).toBe(true);
});

test('without a witness only a long silence counts', () => {
  const a = pathOf(1, StrandRole.quick);
  const b = pathOf(2, StrandRole.quick);
  const paths = [a.path, b.path];
  send(a.strands[0]!, 1_000);
  send(b.strands[0]!, 1_000);
  expect(pathFellSilent(a.path, paths, 1_000 + blindSilenceMs)).toBe(false);
  expect(pathFellSilent(a.path, paths, 1_001 + blindSilenceMs)).toBe(true);
  expect(pathFellSilent(a.path, [a.path], 1_001 + blindSilenceMs)).toBe(true);
});

test('a strand that is suspect for itself says nothing of its path', () => {
  const a = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const b = pathOf(2, StrandRole.quick);
  send(a.strands[1]!, 1_000);
  a.strands[1]!.suspect = true;
  hear(b.strands[0]!, 9_000);
  expect(pathFellSilent(a.path, [a.path, b.path], 9_000)).toBe(false);
  expect(a.path.unsentBytes).toBe(0);
});

test('a strand is silent while a sibling of its own path is heard', () => {
  const { path, strands } = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const [quick, bulk] = strands as [Strand, Strand];
  send(bulk, 1_000);
  hear(quick, 1_080);
  // Both have sent, on a line of unknown rate.
  const limitMs = Math.floor(silenceLimitMs(path.drainMs));
  expect(strandFellSilent(bulk, path, strands, 1_000 + limitMs)).toBe(false);
  expect(strandFellSilent(bulk, path, strands, 1_001 + limitMs)).toBe(true);
  expect(strandFellSilent(quick, path, strands, 1_001 + limitMs)).toBe(false);
  quick.suspect = true;
  expect(strandFellSilent(bulk, path, strands, 1_001 + limitMs)).toBe(false);
});

test('what waits behind its siblings on a feeble line is not silent', () => {
  const a = pathOf(1, StrandRole.quick, StrandRole.bulk);
  const b = pathOf(2, StrandRole.quick);
  const bulk = a.strands[1]!;
  // Nobody knows the line's rate yet, and eight segments may take 200 ms.
  bulk.update({ ...idle, unackedSegments: 8, segmentsInFlight: 8, bytesInFlight: 8 * 1_448 }, 1_000);
  hear(b.strands[0]!, 1_150);
  expect(strandFellSilent(bulk, a.path, b.strands, 1_150)).toBe(false);
  expect(pathFellSilent(a.path, [a.path, b.path], 1_150)).toBe(false);
  hear(b.strands[0]!, 1_300);
  expect(strandFellSilent(bulk, a.path, b.strands, 1_300)).toBe(true);
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
