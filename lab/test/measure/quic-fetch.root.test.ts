import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

import { run } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { QuicServer } from '../../src/internet/quic-server.ts';
import { Content } from '../../src/measure/content.ts';
import { fetchByQuic, type QuicFetch } from '../../src/measure/quic-fetch.ts';
import { UploadFiles } from '../../src/measure/upload-files.ts';

const netns = `lab-quic-${process.pid}`;
const content = new Content(1);
const bytes = 3_000_000;

let folder: string;
let server: QuicServer;
let file: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tresse-quic-'));
  await run(['ip', 'netns', 'add', netns]);
  await run(['ip', '-n', netns, 'link', 'set', 'lo', 'up']);
  file = new UploadFiles(folder, content).of(bytes);
  server = await QuicServer.start(netns, 443, dirname(file), join(folder, 'quic'));
});

afterEach(async () => {
  await server.stop();
  await run(['ip', 'netns', 'del', netns]);
  rmSync(folder, { recursive: true });
});

function fetched(port: number, patienceMs: number, name = basename(file)): Promise<QuicFetch> {
  const order = { netns, address: '127.0.0.1', port, file: name, content, folder: join(folder, 'quic'), patienceMs };
  return fetchByQuic({ ...order, onBytes: () => {} });
}

test('a file comes whole by HTTP/3, as it grows', async () => {
  const { arrivals, sha256, wrongAt, status } = await fetched(443, 20_000);
  expect({ status, wrongAt, sha256, bytes: arrivals.bytes }).toEqual({
    status: 0,
    wrongAt: -1,
    sha256: content.sha256(bytes),
    bytes,
  });
  expect(arrivals.toPairs().length).toBeGreaterThan(1);
  await expect.poll(() => server.requests).toEqual([{ from: '127.0.0.1', protocol: 'HTTP/3.0' }]);
});

test('where nobody answers, nothing comes, and that is told', async () => {
  const { arrivals, status } = await fetched(4_443, 500);
  expect(arrivals.bytes).toBe(0);
  expect(status).not.toBe(0);
});
