import { createHash } from 'node:crypto';

import { expect, test } from 'vitest';

import { Content, ContentCheck } from '../../src/measure/content.ts';

const content = new Content(7);
const patternBytes = 4_194_301;

test('a slice is the same bytes as the file from there on, over the end of the pattern too', () => {
  const file = content.first(patternBytes + 5_000);
  for (const at of [0, 1, 4_096, patternBytes - 10, patternBytes, patternBytes + 17]) {
    expect(content.slice(at, 900).equals(file.subarray(at, at + 900))).toBe(true);
  }
});

test('the digest is that of the bytes', () => {
  const bytes = patternBytes + 12_345;
  expect(content.sha256(bytes)).toBe(createHash('sha256').update(content.first(bytes)).digest('hex'));
});

test('another seed is another content', () => {
  expect(new Content(8).slice(0, 64).equals(content.slice(0, 64))).toBe(false);
});

test('right bytes are right in pieces of any size', () => {
  const check = new ContentCheck(content);
  const file = content.first(patternBytes + 70_000);
  for (let at = 0, size = 1; at < file.length; at += size, size = (size * 3) % 99_991)
    check.take(file.subarray(at, at + size));
  expect(check.wrongAt).toBe(-1);
  expect(check.digest()).toBe(content.sha256(file.length));
});

test('the first wrong byte is named', () => {
  const check = new ContentCheck(content);
  const file = Buffer.from(content.first(100_000));
  file[70_001] = ~(file[70_001] ?? 0) & 0xff;
  check.take(file.subarray(0, 40_000));
  check.take(file.subarray(40_000));
  expect(check.wrongAt).toBe(70_001);
});

test('a chunk in the place of another is wrong, whatever its size', () => {
  for (const chunk of [16_384, 65_536, 1_048_576]) {
    const check = new ContentCheck(content);
    check.take(content.slice(chunk, 1_000));
    expect(check.wrongAt).toBeGreaterThanOrEqual(0);
  }
});
