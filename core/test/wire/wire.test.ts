import fc from 'fast-check';
import { expect, test } from 'vitest';

import {
  readU16,
  readU24,
  readU32,
  readU64,
  u64Max,
  writeU16,
  writeU24,
  writeU32,
  writeU64,
} from '../../src/wire/wire.ts';

const at = 3;

test.each([
  ['16', writeU16, readU16, 0xffff, 2],
  ['24', writeU24, readU24, 0xff_ffff, 3],
  ['32', writeU32, readU32, 0xffff_ffff, 4],
  ['64', writeU64, readU64, u64Max, 8],
] as const)('%s bits: big-endian, round trip, nothing beside them touched', (_bits, write, read, max, size) => {
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(0, 1, max - 1, max), fc.nat({ max })), (value) => {
      const bytes = new Uint8Array(at + size + 2).fill(0xaa);
      write(bytes, at, value);
      expect(read(bytes, at)).toBe(value);
      let expected = 0n;
      for (let i = 0; i < size; i++) expected = (expected << 8n) | BigInt(bytes[at + i]!);
      expect(expected).toBe(BigInt(value));
      expect([...bytes.subarray(0, at), ...bytes.subarray(at + size)].every((b) => b === 0xaa)).toBe(true);
    }),
  );
});

test('64 bits that are no safe integer are told apart', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }), (value) => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, value);
      expect(readU64(bytes, 0)).toBe(-1);
    }),
  );
});
