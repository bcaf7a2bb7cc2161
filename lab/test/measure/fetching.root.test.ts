import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import type { FetchOrder } from '../../src/internet/fetcher.ts';
import { Fetching } from '../../src/measure/fetching.ts';
import { loadPage } from '../../src/measure/page.ts';
import { addresses, LabNames, lineAddresses } from '../../src/network/addresses.ts';
import { labNetns } from '../../src/network/sweep.ts';
import { openDirectRoute } from '../../src/rivals/direct-routes.ts';
import { parseScenario } from '../../src/scenario/scenario-file.ts';
import { setStage, type Stage, strikeStage } from '../../src/stage.ts';

const names = new LabNames('lab-test-');
const folder = mkdtempSync(join(tmpdir(), 'tresse-lab-test-'));
const { lines } = parseScenario(
  'test.yaml',
  `title: two lines
lines:
  - { name: wan1, kind: fibre, delay: 2 ms, down: 80 Mbit/s, up: 80 Mbit/s }
  - { name: wan2, kind: cable, delay: 2 ms, down: 40 Mbit/s, up: 40 Mbit/s }
steps: [{ kind: request, bytes: 1 kB }]`,
);
const line = 1;
const from = lineAddresses(lines, line).box;
/** One way to the far host, and twice there and back: connect, then request and answer. */
const farMs = 25;
const farMsMin = 4 * (farMs + 2);
let stage: Stage;
let close: () => Promise<void>;

beforeAll(async () => {
  stage = await setStage({ names, lines, farMs, seed: 3, folder, onFault: () => {} });
  close = await openDirectRoute(stage, line);
});
afterAll(async () => {
  await close();
  await strikeStage(stage);
  rmSync(folder, { recursive: true });
  expect(await labNetns(names)).toEqual([]);
});

const order = (id: string, direction: FetchOrder['direction'], host: string): FetchOrder => ({
  id,
  direction,
  host,
  port: stage.server.port,
  bytes: 200_000,
  from,
});

test('a client that stays brings every byte either way, over its line, from near and from far', async () => {
  const client = new Fetching(names.box, stage.server, stage.seed);
  const near = await client.fetch(order('near', 'down', addresses.internetHost));
  const far = await client.fetch(order('far', 'down', addresses.farHost));
  const up = await client.fetch(order('up', 'up', addresses.farHost));
  await client.end();
  for (const one of [near, far, up]) expect(one).toMatchObject({ whole: true, from: '100.64.2.2', why: '' });
  expect(far.ms).toBeGreaterThan(farMsMin);
  expect(near.ms).toBeLessThan(far.ms);
});

test('wrong bytes are no whole transfer, and a client that ended says so', async () => {
  const stranger = new Fetching(names.box, stage.server, stage.seed + 1);
  expect((await stranger.fetch(order('wrong', 'down', addresses.internetHost))).whole).toBe(false);
  expect((await stranger.fetch(order('wrong-up', 'up', addresses.internetHost))).whole).toBe(false);
  const waiting = stranger.fetch({ ...order('open', 'down', addresses.internetHost), bytes: 500_000_000 });
  await stranger.end();
  expect(await waiting).toMatchObject({ whole: false, why: 'the client ended' });
});

test('a page comes whole from all its hosts, and leaves no file', async () => {
  const page = { server: stage.server, content: stage.content, folder, netns: names.box, from };
  const load = await loadPage({ ...page, id: 'page', sizes: [1_000, 30_000, 2_000, 50_000], hosts: 3, parallel: 4 });
  expect(load).toMatchObject({ whole: true, from: '100.64.2.2', why: '' });
  expect(load.ms).toBeGreaterThan(farMsMin);
  expect(stage.server.requestsOf('page')).toHaveLength(4);
  expect(readdirSync(folder)).toEqual([]);
});

test('a page that cannot be loaded says why', async () => {
  const page = { server: stage.server, content: stage.content, folder, netns: names.box, from: '10.9.9.9' };
  const none = await loadPage({ ...page, id: 'none', sizes: [1_000], hosts: 1, parallel: 1 });
  expect(none).toMatchObject({ whole: false, from: '' });
  expect(none.why).not.toBe('');
});
