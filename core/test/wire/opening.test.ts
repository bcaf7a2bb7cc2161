import fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  openingAadBytes,
  openingByte,
  openingBytes,
  openingTextBytes,
  readOpening,
  StrandRole,
  kidNumber,
  workerOfKid,
  writeOpening,
} from '../../src/wire/opening.ts';

const openings = fc.record({
  strand: fc.integer({ min: 1, max: 0xffff_ffff }),
  path: fc.integer({ min: 1, max: 255 }),
  role: fc.constantFrom(StrandRole.quick, StrandRole.bulk, StrandRole.datagram),
});
const key = (size: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: size, maxLength: size });

test('what is written is read; the head is in the open, 49 bytes in all', () => {
  fc.assert(
    fc.property(openings, key(8), key(16), fc.nat(9), (opening, kid, salt, at) => {
      const bytes = new Uint8Array(at + openingBytes).fill(0xaa);
      writeOpening(bytes, at, kid, salt, opening);
      expect(readOpening(bytes, at + openingAadBytes)).toEqual(opening);
      expect([...bytes.subarray(at, at + openingAadBytes)]).toEqual([openingByte, ...kid, ...salt]);
      expect(bytes.subarray(at + openingAadBytes + openingTextBytes).every((b) => b === 0xaa)).toBe(true);
    }),
  );
  expect(openingBytes).toBe(49);
});

test('the number of a kid tells its worker, whatever the number of workers', () => {
  const kid = fc.uint8Array({ minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(kid, fc.integer({ min: 1, max: 64 }), (bytes, workers) => {
      const number = bytes.slice(4).reduce((sum, byte) => sum * 256 + byte, 0);
      expect(kidNumber(Uint8Array.of(0x54, ...bytes), 1)).toBe(number);
      expect(workerOfKid(Uint8Array.of(0x54, ...bytes), 1, workers)).toBe(number % workers);
    }),
  );
});

test('strand 0, path 0 and unknown roles are refused', () => {
  const bytes = new Uint8Array(openingBytes);
  const write = (strand: number, path: number, role: number): void =>
    writeOpening(bytes, 0, new Uint8Array(8), new Uint8Array(16), { strand, path, role: role as StrandRole });
  for (const [strand, path, role] of [
    [0, 1, 1],
    [1, 0, 1],
    [1, 1, 0],
    [1, 1, 4],
    [1, 1, 200],
  ] as const) {
    write(strand, path, role);
    expect(readOpening(bytes, openingAadBytes)).toBeUndefined();
  }
});
