import { request } from 'node:http';
import { join } from 'node:path';

import { SystemError, UserError } from '@tresse/kit';
import { type DaemonStatus, daemonStatus } from '@tresse/schema';

const patienceMs = 3_000;

/**
 * Asks the daemon of a state directory for its status over the local socket. Throws UserError `DAEMON_ABSENT` (none runs),
 * `DAEMON_FORBIDDEN` (not its owner); SystemError `DAEMON_SILENT`, `DAEMON_ANSWER`.
 */
export async function askStatus(state: string): Promise<DaemonStatus> {
  const text = await get(join(state, 'api.sock'), '/v1/status', state);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SystemError('DAEMON_ANSWER', 'The daemon answers with something that is no JSON.', error);
  }
  const parsed = daemonStatus.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new SystemError(
    'DAEMON_ANSWER',
    'The daemon is of another version than this command: restart it.',
    parsed.error,
  );
}

function get(socketPath: string, path: string, state: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, timeout: patienceMs }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => {
        const text = Buffer.concat(pieces).toString('utf8');
        if (answer.statusCode === 200) resolve(text);
        else
          reject(
            new SystemError(
              'DAEMON_ANSWER',
              `The daemon answers with ${answer.statusCode ?? 'nothing'}: ${text.trim()}`,
            ),
          );
      });
    });
    asked.on('timeout', () => asked.destroy(new SystemError('DAEMON_SILENT', 'The daemon does not answer.')));
    asked.on('error', (error) => reject(failure(error, state)));
    asked.end();
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
