import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

import { sentenceOf, TresseError, UserError } from '@tresse/kit';
import { readJsonValue } from '@tresse/schema';

import type { Log } from './log.ts';
import type { StateDirectory } from './state-directory.ts';

type SchemaOf<T> = Parameters<typeof readJsonValue<T>>[1];

/** One thing the local socket answers. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** `body` is JSON of anybody's making. What is thrown with a sentence for people is told; anything else is only logged. */
  readonly answer: (body: unknown) => unknown;
}

/** The local socket's name in the state directory. */
const socketName = 'api.sock';
/** A path of a UNIX socket, ending included, has room for this many octets (unix(7)). */
const socketPathMax = 107;
/** No request needs more. */
const bodyBytesMax = 65_536;

/** A route that only tells. */
export function get(path: string, answer: () => unknown): Route {
  return { method: 'GET', path, answer };
}

/** A route that does something; the request's body must be what `schema` says. */
export function post<T>(path: string, schema: SchemaOf<T>, answer: (body: T) => unknown): Route {
  return {
    method: 'POST',
    path,
    answer: (body) => {
      const reading = readJsonValue(body, schema);
      if (reading.ok) return answer(reading.value);
      throw new UserError('REQUEST_INVALID', reading.sentences.join('; '));
    },
  };
}

/**
 * Serves routes on the state directory's socket as JSON, for its owner alone (mode 0600). What a person asks wrongly is
 * answered with 422 and `{code, sentence}`. The lock must be held: a socket found there belongs to a dead daemon. Resolves to
 * what closes it. Throws UserError `API_PATH`, `STATE_UNWRITABLE`.
 */
export async function serveApi(
  directory: StateDirectory,
  routes: readonly Route[],
  log: Log,
): Promise<() => Promise<void>> {
  const path = directory.file(socketName);
  if (Buffer.byteLength(path) > socketPathMax) {
    throw new UserError('API_PATH', `The state directory's path is too long for a socket in it: ${directory.path}`);
  }
  const server = createServer((request, response) => {
    void serve(routes, request, log).then(({ status, body }) => write(response, status, body));
  });
  try {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  } catch (error) {
    server.close();
    throw new UserError('STATE_UNWRITABLE', `${path} cannot be made (${sentenceOf(error)}).`, error);
  }
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        rmSync(path, { force: true });
        resolve();
      });
      server.closeAllConnections();
    });
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const refusal = (status: number, code: string, sentence: string): Answer => ({ status, body: { code, sentence } });

async function serve(routes: readonly Route[], request: IncomingMessage, log: Log): Promise<Answer> {
  const route = routes.find((one) => one.method === request.method && one.path === request.url);
  if (!route) {
    const known = routes.map((one) => `${one.method} ${one.path}`).join(', ');
    return refusal(404, 'NO_ROUTE', `There is ${known}.`);
  }
  try {
    const body = route.method === 'GET' ? undefined : await bodyOf(request);
    return { status: 200, body: await route.answer(body) };
  } catch (error) {
    if (error instanceof UserError) return refusal(422, error.code, error.message);
    log.warn('a request could not be answered', { request: route.path, reason: sentenceOf(error) });
    const told = error instanceof TresseError && error.fault !== 'bug';
    return told ? refusal(500, error.code, error.message) : refusal(500, 'FAULT', 'The daemon failed: see its log.');
  }
}

/** Throws UserError `REQUEST_INVALID`. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > bodyBytesMax) throw new UserError('REQUEST_INVALID', 'The request is too long.');
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
  } catch (error) {
    throw new UserError('REQUEST_INVALID', 'The request is not JSON.', error);
  }
}

function write(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
