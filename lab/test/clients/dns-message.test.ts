import fc from 'fast-check';
import { expect, test } from 'vitest';

import { answersDns, dnsAnswer, dnsQuery } from '../../src/clients/dns-message.ts';

test('an answer is exactly as long as the query allows, and its own', () => {
  fc.assert(
    fc.property(fc.integer({ min: 60, max: 16_000 }), fc.integer({ min: 0, max: 65_535 }), (bytes, id) => {
      const answer = dnsAnswer(dnsQuery(id, bytes))!;
      expect(answer).toHaveLength(bytes);
      expect(answersDns(answer, id)).toBe(true);
      expect(answersDns(answer, (id + 1) & 0xffff)).toBe(false);
      expect(answersDns(Buffer.concat([answer.subarray(0, 2), Buffer.from([0x83]), answer.subarray(3)]), id)).toBe(
        false,
      );
    }),
  );
});

test('records follow each other to the end', () => {
  const query = dnsQuery(7, 3_900);
  const answer = dnsAnswer(query)!;
  let at = query.length - 11;
  for (let record = 0; record < answer.readUInt16BE(6); record++) {
    expect(answer.readUInt16BE(at + 2)).toBe(16);
    const length = answer.readUInt16BE(at + 10);
    expect(answer[at + 12]).toBe(length - 1);
    at += 12 + length;
  }
  expect(at).toBe(3_900);
});

test('what is no query of ours is not answered, and no answer', () => {
  expect(dnsAnswer(Buffer.alloc(40))).toBeUndefined();
  expect(dnsAnswer(dnsQuery(1, 500).subarray(0, 20))).toBeUndefined();
  expect(answersDns(Buffer.alloc(3), 0)).toBe(false);
  expect(answersDns(dnsQuery(9, 500), 9)).toBe(false);
});
