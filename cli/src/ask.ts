import { request } from 'node:http';
import { join } from 'node:path';

import { SystemError, UserError } from '@tresse/kit';
import { apiRefusal, readJsonValue } from '@tresse/schema';

const patienceMs = 3_000;

type SchemaOf<T> = Parameters<typeof readJsonValue<T>>[1];

/** What is asked of a daemon's local socket; with a body it is a POST. */
export interface Question {
  readonly path: string;
  readonly body?: unknown;
}

/**
 * Asks the daemon of a state directory over the local socket. Returns the answer, which is what `schema` says. Throws UserError
 * `DAEMON_ABSENT` (none runs), `DAEMON_FORBIDDEN` (not its owner), `DAEMON_OTHER` (a box was asked what only a relay knows, or
 * the other way round), and the daemon's own refusals with their codes; SystemError `DAEMON_SILENT`, `DAEMON_ANSWER`.
 */
export async function askDaemon<T>(state: string, question: Question, schema: SchemaOf<T>): Promise<T> {
  const { status, text } = await exchange(join(state, 'api.sock'), question, state);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SystemError('DAEMON_ANSWER', 'The daemon answers with something that is no JSON.', error);
  }
  if (status === 404) {
    throw new UserError('DAEMON_OTHER', `The daemon with the state directory ${state} does not know this command.`);
  }
  const refusal = apiRefusal.safeParse(json);
  if (status === 422 && refusal.success) throw new UserError(refusal.data.code, refusal.data.sentence);
  if (status !== 200) {
    const said = refusal.success ? refusal.data.sentence : text.trim();
    throw new SystemError('DAEMON_ANSWER', `The daemon answers with ${status}: ${said}`);
  }
  const reading = readJsonValue(json, schema);
  if (reading.ok) return reading.value;
  throw new SystemError('DAEMON_ANSWER', 'The daemon is of another version than this command: restart it.');
}

function exchange(
  socketPath: string,
  { path, body }: Question,
  state: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const asked = request({ socketPath, path, method, timeout: patienceMs }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') });
      });
    });
    asked.on('timeout', () => asked.destroy(new SystemError('DAEMON_SILENT', 'The daemon does not answer.')));
    asked.on('error', (error) => reject(failure(error, state)));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function failure(error: Error, state: string): Error {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new UserError(
      'DAEMON_ABSENT',
      `No box and no relay runs with the state directory ${state}: start one by "tresse box run" or "tresse relay run", ` +
        'or name its directory by --state.',
      error,
    );
  }
  if (code === 'EACCES') {
    return new UserError('DAEMON_FORBIDDEN', `The daemon answers only to its owner: run this as root.`, error);
  }
  return error instanceof SystemError ? error : new SystemError('DAEMON_SILENT', error.message, error);
}
