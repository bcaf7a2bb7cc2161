import { statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';

import { SystemError, UserError } from '@tresse/kit';
import { renameRequest } from '@tresse/schema';
import { expect, test } from 'vitest';

import { get, makeLog, openStateDirectory, post, type Route, serveApi } from '../src/index.ts';
import { scratch } from './peers.ts';

interface Said {
  code: number | undefined;
  body: unknown;
}

/** Serves routes, and asks for one. */
async function served(
  routes: Route[],
): Promise<{ path: string; lines: string[]; ask: (method: string, url: string, body?: string) => Promise<Said> }> {
  const directory = openStateDirectory(scratch());
  writeFileSync(directory.file('api.sock'), 'left by a dead daemon');
  const lines: string[] = [];
  await serveApi(
    directory,
    routes,
    makeLog('debug', (line) => lines.push(line)),
  );
  const path = directory.file('api.sock');
  const ask = (method: string, url: string, body?: string): Promise<Said> =>
    new Promise((resolve, reject) => {
      request({ socketPath: path, method, path: url }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ code: response.statusCode, body: JSON.parse(text) as unknown }));
      })
        .on('error', reject)
        .end(body);
    });
  return { path, lines, ask };
}

test('routes are served as JSON on a socket for its owner alone, which goes with the daemon', async () => {
  const directory = openStateDirectory(scratch());
  const close = await serveApi(
    directory,
    [],
    makeLog('error', () => {}),
  );
  expect(statSync(directory.file('api.sock')).mode & 0o777).toBe(0o600);
  await close();
  expect(() => statSync(directory.file('api.sock'))).toThrow();
});

test('a path nobody serves names those there are', async () => {
  const { ask } = await served([get('/v1/status', () => ({ well: true }))]);
  expect(await ask('GET', '/v1/status')).toEqual({ code: 200, body: { well: true } });
  const none = { code: 'NO_ROUTE', sentence: 'There is GET /v1/status.' };
  expect(await ask('GET', '/v1/other')).toEqual({ code: 404, body: none });
  expect(await ask('POST', '/v1/status', '{}')).toEqual({ code: 404, body: none });
});

test('a body is what its schema says before anything is done', async () => {
  const done: unknown[] = [];
  const { ask } = await served([post('/v1/rename', renameRequest, (body) => done.push(body))]);
  expect(await ask('POST', '/v1/rename', '{"from":"a","to":"b"}')).toEqual({ code: 200, body: 1 });
  const refused = async (body: string): Promise<unknown> => (await ask('POST', '/v1/rename', body)).body;
  expect(await refused('{"from":"a","to":"B!"}')).toMatchObject({
    code: 'REQUEST_INVALID',
    sentence: expect.stringContaining('to: "B!": not a name'),
  });
  expect(await refused('{"from":"a","to":"b","then":1}')).toMatchObject({
    sentence: 'then: unknown key (accepted: from, to)',
  });
  expect(await refused('[]')).toMatchObject({ sentence: 'expected a map of keys, got a list' });
  expect(await refused('{')).toMatchObject({ sentence: 'The request is not JSON.' });
  expect(await refused(`"${'x'.repeat(70_000)}"`)).toMatchObject({ sentence: 'The request is too long.' });
  expect(done).toEqual([{ from: 'a', to: 'b' }]);
});

const throwing = (error: Error) => (): never => {
  throw error;
};

test("the person's faults are told, the system's too, and ours only logged", async () => {
  const { ask, lines } = await served([
    get('/user', throwing(new UserError('NAME_TAKEN', 'Taken.'))),
    get('/system', throwing(new SystemError('DISK', 'No room.'))),
    get('/bug', throwing(new TypeError('x is undefined'))),
  ]);
  expect(await ask('GET', '/user')).toEqual({ code: 422, body: { code: 'NAME_TAKEN', sentence: 'Taken.' } });
  expect(await ask('GET', '/system')).toEqual({ code: 500, body: { code: 'DISK', sentence: 'No room.' } });
  expect(await ask('GET', '/bug')).toEqual({
    code: 500,
    body: { code: 'FAULT', sentence: 'The daemon failed: see its log.' },
  });
  expect(lines.join('')).toContain('x is undefined');
});
