import { request } from 'node:http';
import { join } from 'node:path';

import { type DaemonStatus, daemonStatus } from '@tresse/schema';

/** What a daemon says of itself over its local socket; undefined while it does not answer, or with something else. */
export async function readStatus(stateFolder: string): Promise<DaemonStatus | undefined> {
  const text = await new Promise<string | undefined>((resolve) => {
    const asked = request(
      { socketPath: join(stateFolder, 'api.sock'), path: '/v1/status', timeout: 2_000 },
      (answer) => {
        let body = '';
        answer.setEncoding('utf8');
        answer.on('data', (piece: string) => (body += piece));
        answer.on('end', () => resolve(answer.statusCode === 200 ? body : undefined));
        answer.on('error', () => resolve(undefined));
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.end();
  });
  if (text === undefined) return undefined;
  const parsed = daemonStatus.safeParse(parsedJson(text));
  return parsed.success ? parsed.data : undefined;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
