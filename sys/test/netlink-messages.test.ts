import fc from 'fast-check';
import { expect, test } from 'vitest';

import { readRouteMessages } from '../src/netlink-messages.ts';

/** A message of the kernel: header, then the body. */
function message(type: number, body: number[]): number[] {
  const padded = [...body, ...Array.from({ length: -body.length & 3 }, () => 0)];
  return [...u32(16 + body.length), type, 0, 0, 0, ...u32(0), ...u32(0), ...padded];
}
const u32 = (value: number): number[] => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
const attribute = (type: number, bytes: number[]): number[] => [
  4 + bytes.length,
  0,
  type,
  0,
  ...bytes,
  ...Array.from({ length: -bytes.length & 3 }, () => 0),
];
const link = (index: number, flags: number, name: string): number[] => [
  ...u32(0),
  ...u32(index),
  ...u32(flags),
  ...u32(0),
  ...attribute(4, u32(1500)),
  ...attribute(3, [...Buffer.from(name), 0]),
];

function heard(bytes: number[] | Uint8Array, length = bytes.length): unknown[] {
  const all: unknown[] = [];
  readRouteMessages(Uint8Array.from(bytes), length, {
    onLink: (...args) => all.push(args),
    onOther: () => all.push('other'),
  });
  return all;
}

test('interfaces with and without carrier, gone ones, and other changes', () => {
  const bytes = [
    ...message(16, link(2, 0x1_1043, 'wan1')),
    ...message(16, link(3, 0x1003, 'wan2')),
    ...message(20, [2, 24, 0, 0]),
    ...message(17, link(2, 0x1_1043, 'wan1')),
    ...message(3, u32(0)),
  ];
  expect(heard(bytes)).toEqual([[2, 'wan1', true], [3, 'wan2', false], 'other', [2, 'wan1', false]]);
});

test('what is cut off is left out', () => {
  const bytes = [...message(20, [1]), ...message(16, link(2, 0x1_1043, 'wan1'))];
  for (let length = 20; length < bytes.length; length++) expect(heard(bytes, length)).toEqual(['other']);
});

test('never throws, never loops, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(heard(bytes).length).toBeLessThanOrEqual(bytes.length / 16);
    }),
  );
});
