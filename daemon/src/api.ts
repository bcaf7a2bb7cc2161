import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';

import { sentenceOf, UserError } from '@tresse/kit';
import type { DaemonStatus } from '@tresse/schema';

import type { Log } from './log.ts';
import type { StateDirectory } from './state-directory.ts';

/** The local socket's name in the state directory. */
const socketName = 'api.sock';
/** A path of a UNIX socket, ending included, has room for this many octets (unix(7)). */
const socketPathMax = 107;

/**
 * Serves `GET /v1/status` on the state directory's socket, for its owner alone (mode 0600). The lock must be held: a socket
 * found there belongs to a dead daemon. Resolves to what closes it. Throws UserError `API_PATH`, SystemErrors of listening.
 */
export async function serveApi(
  directory: StateDirectory,
  status: () => Promise<DaemonStatus>,
  log: Log,
): Promise<() => Promise<void>> {
  const path = directory.file(socketName);
  if (Buffer.byteLength(path) > socketPathMax) {
    throw new UserError('API_PATH', `The state directory's path is too long for a socket in it: ${directory.path}`);
  }
  rmSync(path, { force: true });
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/v1/status') {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"GET /v1/status"}\n');
      return;
    }
    status().then(
      (answer) => response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(answer)}\n`),
      (error: unknown) => {
        log.warn('the status could not be told', { reason: sentenceOf(error) });
        response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"status"}\n');
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        rmSync(path, { force: true });
        resolve();
      });
      server.closeAllConnections();
    });
}
