import type { DaemonStatus } from '@tresse/schema';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { atLength, Stage } from './stage.ts';

/** Of these bytes the transfers are. */
const megabytes = 110;
/** Reads or writes so much of one pattern, as fast as the other side lets it. */
const server = `
const { createHash } = require('node:crypto');
const piece = Buffer.alloc(1_000_000, 0).map((_, i) => (i * 2_654_435_761) >>> 13);
require('node:http').createServer(async (request, answer) => {
  if (request.method === 'GET') {
    for (let i = 0; i < ${megabytes}; i++) {
      piece.writeUInt32BE(i);
      if (!answer.write(Buffer.from(piece))) await new Promise((resolve) => answer.once('drain', resolve));
    }
    answer.end();
  } else {
    const hash = createHash('sha256');
    for await (const chunk of request) hash.update(chunk);
    answer.end(hash.digest('hex'));
  }
}).listen(80)`;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.lay();
  stage.configure();
  stage.serve('inet', process.execPath, '-e', server);
  stage.start('relay');
  stage.start('box', '--rekey-every', '2s');
});
afterAll(async () => {
  await stage?.clear();
});

const url = 'http://198.51.100.10/';
const get = `curl -sS -m 60 --limit-rate 9M ${url}`;
const status = (room: 'box' | 'relay'): Promise<DaemonStatus> => stage.statusOf(room);
const counted = (text: string): number => stage.log('box').split(text).length - 1;
/** Strands at the box that stand, by number. */
const strands = async (): Promise<number[]> =>
  (await status('box')).sessions.flatMap((one) => one.paths.flatMap((path) => path.strands.map((s) => s.strand)));

test('a transfer of a hundred megabytes does not notice that keys and strands change every two seconds', async () => {
  await vi.waitFor(async () => expect(await strands()).toHaveLength(6), { timeout: 15_000, interval: 100 });
  const before = { keys: counted('msg="keys are renewed"'), first: Math.max(...(await strands())) };
  const [down, whole] = await Promise.all([
    atLength('lan', 60_000, 'sh', '-c', `${get} | sha256sum`),
    atLength('inet', 60_000, 'sh', '-c', `curl -sS -m 60 http://127.0.0.1/ | sha256sum`),
  ]);
  expect(down).toBe(whole);
  const up = await atLength('lan', 60_000, 'sh', '-c', `${get} | curl -sS -m 60 -T - ${url}`);
  expect(up).toBe(whole.slice(0, 64));
  expect(counted('msg="keys are renewed"') - before.keys).toBeGreaterThanOrEqual(5);
  expect(counted('replaced by a fresh one')).toBeGreaterThanOrEqual(20);
  expect(Math.min(...(await strands()))).toBeGreaterThan(before.first);
  // Those that carry, those that follow them, and those that are about to close.
  expect((await strands()).length).toBeLessThanOrEqual(18);
  const relay = await status('relay');
  expect(relay.sessions).toHaveLength(1);
  expect(relay.counters['kids']).toBeLessThanOrEqual(3);
  for (const one of [(await status('box')).sessions[0], relay.sessions[0]]) {
    expect(one?.counters).toMatchObject({ violations: 0 });
  }
  expect(counted('session ends')).toBe(0);
});
