import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SystemError } from '@tresse/kit';
import { run } from '@tresse/sys';
import { z } from 'zod';

import { Child } from '../process/child.ts';

const startMs = 10_000;
/** What clients call it; it has no other name, and a client of numbers calls everything so. */
const serverName = 'localhost';

/** What is read of the server's log: JSON, a line each. */
const logLine = z.object({
  msg: z.string(),
  request: z.object({ remote_ip: z.string(), proto: z.string(), uri: z.string() }).optional(),
});

/** A request that was answered. */
export interface QuicRequest {
  readonly from: string;
  /** As `HTTP/3.0`. */
  readonly protocol: string;
}

/** Debian's web server Caddy in the internet host's namespace, serving files by HTTP/3. */
export class QuicServer {
  readonly #child: Child;
  readonly #requests: QuicRequest[] = [];

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts it on this port, serving the files of a folder; its own go to `folder`. Returns when it listens. Throws CommandError, SystemError `QUIC_SERVER`. */
  static async start(netns: string, port: number, files: string, folder: string): Promise<QuicServer> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const paths = { key: join(folder, 'key.pem'), certificate: join(folder, 'certificate.pem') };
    await makeCertificate(paths);
    const config = join(folder, 'caddy.json');
    writeFileSync(config, JSON.stringify(configuration(port, files, paths)));
    const homes = ['HOME', 'XDG_DATA_HOME', 'XDG_CONFIG_HOME'].map((name) => `${name}=${folder}`);
    const server = new QuicServer(new Child(netns, ['env', ...homes, 'caddy', 'run', '--config', config]));
    await server.#listening();
    return server;
  }

  /** Requests answered so far, in order. */
  get requests(): readonly QuicRequest[] {
    return this.#requests;
  }

  async stop(): Promise<void> {
    await this.#child.stop(2_000);
  }

  async #listening(): Promise<void> {
    const listening = Promise.withResolvers<void>();
    let words = '';
    let rest = '';
    this.#child.process.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      words = (words + piece).slice(-1_000);
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (this.#hear(line) === 'serving initial configuration') listening.resolve();
    });
    const refuse = (why: string): void =>
      listening.reject(new SystemError('QUIC_SERVER', `the web server did not start: ${why}`));
    const timer = setTimeout(() => refuse('no word of it'), startMs);
    void this.#child.ended.then(({ status }) => refuse(words.trim() || `it ended with ${status}`));
    try {
      await listening.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns what the line says, where it is one of the log. */
  #hear(line: string): string | undefined {
    const parsed = logLine.safeParse(jsonOf(line));
    if (!parsed.success) return undefined;
    const { msg, request } = parsed.data;
    if (request) this.#requests.push({ from: request.remote_ip, protocol: request.proto });
    return msg;
  }
}

async function makeCertificate({ key, certificate }: { key: string; certificate: string }): Promise<void> {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'];
  const names = ['-subj', `/CN=${serverName}`, '-addext', `subjectAltName=DNS:${serverName}`];
  await run(['openssl', 'req', '-x509', ...kind, ...names, '-keyout', key, '-out', certificate], { timeoutMs: 10_000 });
}

/** Caddy's own form: one server of files, with a certificate of ours, that asks nobody for another one and cannot be told anything later. */
function configuration(port: number, files: string, paths: { key: string; certificate: string }): object {
  return {
    admin: { disabled: true, config: { persist: false } },
    logging: { logs: { default: { level: 'INFO', encoder: { format: 'json' } } } },
    apps: {
      tls: { certificates: { load_files: [{ ...paths }] } },
      http: {
        servers: {
          files: {
            listen: [`:${port}`],
            automatic_https: { disable: true },
            tls_connection_policies: [{}],
            routes: [{ handle: [{ handler: 'file_server', root: files }] }],
            logs: {},
          },
        },
      },
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
