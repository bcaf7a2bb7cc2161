import { heapSlab } from '@tresse/kit';
import fc from 'fast-check';
import { expect, test } from 'vitest';

import { frameBytesMax, FrameRing } from '../src/emulator/frame-ring.ts';

/** Puts a frame that names its number and its length in every octet; as the kernel would, at the room's address. */
function put(ring: FrameRing, number: number, length: number): void {
  const offset = ring.room();
  ring.bytes.fill((number * 31 + length) & 0xff, offset, offset + length);
  ring.keep(number, length);
}

function isWhole(ring: FrameRing, number: number, length: number): boolean {
  const offset = ring.offsetOf(number);
  const wanted = (number * 31 + length) & 0xff;
  return (
    ring.lengthOf(number) === length && ring.bytes.subarray(offset, offset + length).every((octet) => octet === wanted)
  );
}

test('keeps every frame whole until it is released', () => {
  const lengths = fc.array(fc.integer({ min: 14, max: 1_518 }), { maxLength: 400 });
  fc.assert(
    fc.property(
      lengths,
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 0, max: 60_000 }),
      (frames, heldMax, bytes) => {
        const ring = new FrameRing(bytes, heapSlab);
        frames.forEach((length, number) => {
          put(ring, number, length);
          ring.release(Math.max(0, number - heldMax));
          for (let held = Math.max(0, number - heldMax); held <= number; held++) {
            expect(isWhole(ring, held, frames[held]!)).toBe(true);
          }
        });
      },
    ),
  );
});

test('does not grow while what it holds stays below what it was made for', () => {
  const ring = new FrameRing(20 * 1_514, heapSlab);
  const before = ring.capacityBytes;
  for (let number = 0; number < 10_000; number++) {
    ring.release(number - 18);
    put(ring, number, 60 + ((number * 97) % 1_455));
  }
  expect(ring.capacityBytes).toBe(before);
});

test('grows rather than lose a frame', () => {
  const ring = new FrameRing(0, heapSlab);
  for (let number = 0; number < 3_000; number++) put(ring, number, 1_514);
  for (let number = 0; number < 3_000; number++) expect(isWhole(ring, number, 1_514)).toBe(true);
});

test('gives the same room until a frame is kept, and it is big enough', () => {
  const ring = new FrameRing(10_000, heapSlab);
  for (let number = 0; number < 100; number++) {
    const offset = ring.room();
    expect(ring.room()).toBe(offset);
    expect(offset + frameBytesMax).toBeLessThanOrEqual(ring.capacityBytes);
    ring.keep(number, 700);
    ring.release(number - 2);
  }
});

test('begins anew after everything was released, whatever the next number', () => {
  const ring = new FrameRing(10_000, heapSlab);
  put(ring, 0, 100);
  put(ring, 1, 100);
  ring.release(2);
  put(ring, 2, 200);
  expect(isWhole(ring, 2, 200)).toBe(true);
});
