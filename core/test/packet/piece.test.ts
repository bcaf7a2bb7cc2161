import { Prng, type Slab } from '@tresse/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { datagramOverheadBytes, PacketClass, type PacketPrefix } from '../../src/packet/datagram.ts';
import { PacketSlots } from '../../src/packet/packet-slots.ts';
import { PieceStore } from '../../src/packet/piece-store.ts';
import {
  type PiecePlace,
  piecePrefixBytes,
  piecesOf,
  pieceStart,
  readPiecePlace,
  writePiecePlace,
} from '../../src/packet/piece.ts';

const slab = (size: number): Slab => ({ bytes: new Uint8Array(size), address: 0 });
const prefixOf = (sequence: number, bucket = 7): PacketPrefix => ({
  class: PacketClass.bulk,
  ordered: false,
  bucket,
  sequence,
});
/** Header, prefix of a piece and tag, bytes. */
const around = 16 + piecePrefixBytes + 16;

/** The bodies of a packet's pieces. */
function cut(packet: Uint8Array, pieces: number): Uint8Array[] {
  return Array.from({ length: pieces }, (_, index) => {
    const from = pieceStart(packet.length, index, pieces);
    const until = pieceStart(packet.length, index + 1, pieces);
    const body = new Uint8Array(piecePrefixBytes + until - from);
    writePiecePlace(body, 0, { length: packet.length, index, pieces });
    body.set(packet.subarray(from, until), piecePrefixBytes);
    return body;
  });
}

/** What has become whole by a piece, as its place in the slots; -1: nothing. */
function take(store: PieceStore, prefix: PacketPrefix, body: Uint8Array, nowMs = 0): number {
  const place: PiecePlace = { length: 0, index: 0, pieces: 0 };
  expect(readPiecePlace(body, 0, body.length, place)).toBe(true);
  return store.take(prefix, place, body, 0, nowMs);
}

test('what fits goes whole; pieces fit, and are no more than need be', () => {
  fc.assert(
    fc.property(fc.integer({ min: 20, max: 2_048 }), fc.integer({ min: 540, max: 1_452 }), (length, limit) => {
      const pieces = piecesOf(length, limit);
      if (pieces === 1) return length + datagramOverheadBytes <= limit;
      const largest = pieceStart(length, 1, pieces);
      return (
        length + datagramOverheadBytes > limit && largest + around <= limit && (pieces - 1) * (limit - around) < length
      );
    }),
  );
});

test('pieces in any order become their packet again, between those of others', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 541, max: 1_413 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 540, max: 1_200 }),
      fc.integer(),
      (lengths, limit, seed) => {
        const prng = new Prng(seed);
        const slots = new PacketSlots(16, slab);
        const store = new PieceStore(slots);
        const packets = lengths.map((length) => Uint8Array.from({ length }, () => prng.int(0, 255)));
        const bodies = packets.flatMap((packet, i) =>
          cut(packet, Math.max(2, piecesOf(packet.length, limit))).map((body) => ({ i, body, turn: prng.float() })),
        );
        let whole = 0;
        for (const { i, body } of bodies.toSorted((a, b) => a.turn - b.turn)) {
          const slot = take(store, prefixOf(i), body);
          if (slot < 0) continue;
          whole++;
          const at = slots.startOf(slot);
          expect(slots.slab.bytes.subarray(at, at + slots.lengthOf(slot))).toEqual(packets[i]);
          slots.give(slot);
        }
        expect(whole).toBe(packets.length);
        expect(slots.used).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});

test('a place that does not fit its bytes is refused', () => {
  const place: PiecePlace = { length: 0, index: 0, pieces: 0 };
  const good = cut(new Uint8Array(1_000), 3);
  const last = good[2]!;
  expect(readPiecePlace(last, 0, last.length, place)).toBe(true);
  expect(place).toEqual({ length: 1_000, index: 2, pieces: 3 });
  expect(readPiecePlace(last, 0, last.length - 1, place)).toBe(false);
  for (const numbers of [0x00, 0x01, 0x33, 0x43, 0x13, 0xf2]) {
    const wrong = Uint8Array.from(last);
    wrong[9] = numbers;
    expect(readPiecePlace(wrong, 0, wrong.length, place), numbers.toString(16)).toBe(false);
  }
  expect(readPiecePlace(last, 0, piecePrefixBytes, place)).toBe(false);
});

test('a copy of a piece, or one of another length, changes nothing', () => {
  const slots = new PacketSlots(4, slab);
  const store = new PieceStore(slots);
  const [first, second] = cut(new Uint8Array(1_000).fill(1), 2);
  const [other] = cut(new Uint8Array(900).fill(2), 2);
  expect(take(store, prefixOf(1), first!)).toBe(-1);
  expect(take(store, prefixOf(1), first!)).toBe(-1);
  expect(take(store, prefixOf(1), other!)).toBe(-1);
  const slot = take(store, prefixOf(1), second!);
  const at = slots.startOf(slot);
  expect(slots.slab.bytes.subarray(at, at + 1_000).every((byte) => byte === 1)).toBe(true);
});

test('what lacks a piece is given up after a while, and costs bounded memory before', () => {
  const slots = new PacketSlots(1_000, slab);
  const store = new PieceStore(slots);
  const [first] = cut(new Uint8Array(1_000), 2);
  expect(store.nextMs).toBe(Infinity);
  for (let i = 0; i < 500; i++) take(store, prefixOf(i), first!, i / 10);
  expect(store.unfinished).toBe(128);
  expect(slots.used).toBe(128);
  expect(store.lost).toBe(372);
  store.tick(store.nextMs);
  expect(store.unfinished).toBeLessThan(128);
  store.tick(10_000);
  expect([store.unfinished, slots.used, store.lost]).toEqual([0, 0, 500]);
});

test('without memory a piece is dropped', () => {
  const slots = new PacketSlots(1, slab);
  const store = new PieceStore(slots);
  const [first, second] = cut(new Uint8Array(1_000), 2);
  take(store, prefixOf(1), first!);
  expect(take(store, prefixOf(2), first!)).toBe(-1);
  expect(take(store, prefixOf(1), second!)).toBeGreaterThanOrEqual(0);
});
