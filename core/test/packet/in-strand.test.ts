/** Packets in strands: taken from a strand of their own only, and given to it while little waits there. */
import { heapSlab } from '@tresse/kit';
import { expect, test } from 'vitest';

import { frameHeaderBytes, recordHeaderBytes } from '../../src/limits.ts';
import { Path } from '../../src/line/path.ts';
import { PacketLane } from '../../src/packet/packet-lane.ts';
import { defaultPacketPolicy } from '../../src/packet/packet-sender.ts';
import { PacketSlots } from '../../src/packet/packet-slots.ts';
import { Dialer } from '../../src/strand/dialer.ts';
import { Strand } from '../../src/strand/strand.ts';
import { readFrames } from '../../src/wire/frame.ts';
import { StrandRole } from '../../src/wire/opening.ts';
import { FrameLog } from '../frame-log.ts';
import { idleInfo } from '../idle-info.ts';
import { SessionBench, target } from '../session/session-bench.ts';
import { ipv4 } from './ip.ts';

const body = recordHeaderBytes + frameHeaderBytes;
const packet = ipv4({});

function lane(): { lane: PacketLane; path: Path; strand: Strand; came: number[] } {
  const path = new Path(1);
  const strand = new Strand(9, 1, StrandRole.datagram, 'answered', 0);
  path.strands.push(strand);
  const came: number[] = [];
  const one = new PacketLane({
    paths: new Map([[1, path]]),
    slots: new PacketSlots(64, heapSlab),
    policy: defaultPacketPolicy,
    deliver: (_, __, length) => void came.push(length),
    seed: 5,
  });
  return { lane: one, path, strand, came };
}

const out = heapSlab(4_096);
const give = (one: PacketLane, nowMs: number): void => one.handleLocal(packet, 0, packet.length, nowMs);

/** Packets that leave in the strand now. */
function inStrand(one: PacketLane, nowMs: number): number {
  let count = 0;
  for (let next = one.poll(out, body, nowMs); next; next = one.poll(out, body, nowMs)) if (next.strand) count++;
  return count;
}

test('a path whose datagrams are not answered carries packets in its strand, and in datagrams once they are', () => {
  const { lane: one, path } = lane();
  give(one, 0);
  expect(inStrand(one, 0)).toBe(1);
  expect(one.carries(0)).toBe(true);
  const highest = path.datagrams.next - 1;
  path.datagrams.take({ path: 1, highest, arrivedUs: 0, waitedUs: 0, packets: 1, bytes: 0, largest: 100 }, 10);
  give(one, 10);
  expect(inStrand(one, 10)).toBe(0);
  expect(path.datagrams.next - 1).toBeGreaterThan(highest);
});

test('nothing is given to a strand in which much waits, nor to one that is silent', () => {
  const { lane: one, strand } = lane();
  strand.update({ ...idleInfo, unsentBytes: 4_000, unackedSegments: 3 }, 0);
  give(one, 0);
  expect(inStrand(one, 0)).toBe(0);
  expect(one.nextMs(0)).toBeLessThanOrEqual(1);
  strand.update({ ...idleInfo, unackedSegments: 1 }, 5);
  expect(inStrand(one, 5)).toBe(1);
  strand.suspect = true;
  give(one, 6);
  expect(inStrand(one, 6)).toBe(0);
});

test('what comes in a strand is delivered once, whatever way the copy takes', () => {
  const { lane: one, came } = lane();
  const far = lane();
  give(far.lane, 0);
  let next = far.lane.poll(out, body, 0);
  while (next && !next.strand) next = far.lane.poll(out, body, 0);
  expect(next?.strand).toBeDefined();
  const end = body + (next?.length ?? 0);
  one.handleInStrand(1, out, body, end, 0);
  one.handleDatagram(1, 0, out, body, end, 0);
  expect(came).toEqual([packet.length]);
  out.bytes[body] = 0x10;
  one.handleInStrand(1, out, body, end, 0);
  expect(one.malformed).toBe(1);
});

test('a session wraps a body in place, and takes one on a strand of role datagram only', () => {
  const taken: string[] = [];
  const bench = new SessionBench('relay', (path, slab, start, length) =>
    taken.push(`${path}: ${slab.bytes.subarray(start, start + length).join()}`),
  );
  const strand = bench.strand(3, 2, StrandRole.datagram);
  expect(bench.hear(strand, (writer) => writer.bytes.set([1, 2, 3], writer.datagram(3)))).toBeUndefined();
  expect(taken).toEqual(['2: 1,2,3']);
  expect(bench.hear(bench.strand(4, 2), (writer) => writer.datagram(3))).toBe('frame-unknown');
  expect(new SessionBench('relay').hear(strand, (writer) => writer.datagram(3))).toBe('frame-unknown');

  out.bytes.set([7, 8], body);
  const before = strand.recordsSent;
  const text = bench.session.wrapDatagram(strand, out.bytes, body, 2, bench.nowMs);
  const log = new FrameLog(out.bytes);
  expect(readFrames(out.bytes, recordHeaderBytes, recordHeaderBytes + text, log)).toBeUndefined();
  expect(log.read).toEqual([['datagram', body, 2]]);
  expect(strand).toMatchObject({ recordsSent: before + 1, unsentBytes: recordHeaderBytes + text + 16 });
});

test('streams never go in such a strand', () => {
  const bench = new SessionBench('box');
  const quick = bench.strand(1, 1);
  bench.hear(quick, (writer) => writer.padding(0));
  const strand = bench.strand(2, 1, StrandRole.datagram);
  bench.hear(strand, (writer) => writer.padding(0));
  bench.session.handleStrandInfo(strand, { ...idleInfo, windowBytes: 1_000_000 }, bench.nowMs);
  bench.give(bench.session.openStream(target, [], bench.nowMs), 800);
  const used = bench.poll().filter(({ frames }) => frames.some(([kind]) => kind === 'data'));
  expect(used.length).toBeGreaterThan(0);
  expect(used.every((record) => record.strand === quick.id)).toBe(true);
});

test('the box opens one where it is wanted, and no second one', () => {
  const bench = new SessionBench('box');
  bench.hear(bench.strand(1, 1), (writer) => writer.padding(0));
  const dialer = new Dialer(bench.session);
  dialer.enable(1, true);
  const roles = (nowMs: number): number[] => {
    const found: number[] = [];
    for (let order = dialer.poll(nowMs); order; order = dialer.poll(nowMs)) found.push(order.role);
    return found;
  };
  expect(roles(bench.nowMs)).not.toContain(StrandRole.datagram);
  const path = bench.session.paths.get(1)!;
  for (let ms = 0; ms < 600; ms += 20) {
    path.datagrams.give(100, true, bench.nowMs + ms);
    path.udp.look(path.datagrams, undefined, 30, bench.nowMs + ms);
  }
  const later = bench.nowMs + 1_000;
  expect(roles(later)).toEqual([StrandRole.datagram]);
  dialer.handleEnd({ path: 1, role: StrandRole.datagram });
  const strand = bench.strand(5, 1, StrandRole.datagram);
  bench.hear(strand, (writer) => writer.padding(0));
  expect(dialer.handleAnswered(strand)).toEqual([]);
  expect(roles(later + 1_000)).toEqual([]);
});
