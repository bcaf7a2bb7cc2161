import { join } from 'node:path';
import { execPath } from 'node:process';

import { SystemError } from '@tresse/kit';

import { Child } from '../process/child.ts';
import type { ServerNote } from './server-notes.ts';

type Request = Extract<ServerNote, { kind: 'request' }>;
type Taken = Extract<ServerNote, { kind: 'taken' }>;
type Progress = Extract<ServerNote, { kind: 'progress' }>;

const startMs = 10_000;

/** The file server running in the internet host's namespace, seen from the runner. */
export class ServerProcess {
  readonly address: string;
  readonly port: number;
  readonly #child: Child;
  readonly #requests: Request[] = [];
  readonly #taken = new Map<string, Taken>();
  readonly #waiting = new Map<string, (taken: Taken) => void>();
  #onProgress: ((progress: Progress) => void) | undefined;

  private constructor(child: Child, address: string, port: number) {
    this.#child = child;
    this.address = address;
    this.port = port;
  }

  /** Starts it on all addresses of the host and returns when it listens; `address` is what clients are told. `wrapper` is a command put before it (`mptcpize run`). Throws SystemError `FILE_SERVER`. */
  static async start(
    netns: string,
    listen: { address: string; port: number; seed: number; bothFamilies?: boolean; wrapper?: readonly string[] },
  ): Promise<ServerProcess> {
    const program = [
      execPath,
      join(import.meta.dirname, 'main.ts'),
      listen.bothFamilies ? '::' : '0.0.0.0',
      String(listen.port),
      String(listen.seed),
    ];
    const child = new Child(netns, [...(listen.wrapper ?? []), ...program]);
    let complaint = '';
    child.process.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    const server = new ServerProcess(child, listen.address, listen.port);
    const listening = Promise.withResolvers<void>();
    child.onLine((line) => {
      const said = JSON.parse(line) as ServerNote;
      if (said.kind === 'listening') listening.resolve();
      else server.#hear(said);
    });
    const refuse = (why: string): void =>
      listening.reject(new SystemError('FILE_SERVER', `the lab's file server did not start: ${why}`));
    const timer = setTimeout(() => refuse('no answer'), startMs);
    void child.ended.then((end) => refuse(complaint.trim() || `it ended with ${end.signal ?? end.status}`));
    try {
      await listening.promise;
    } finally {
      clearTimeout(timer);
    }
    return server;
  }

  /** Requests that came with this id, in order. */
  requestsOf(id: string): readonly Request[] {
    return this.#requests.filter((request) => request.id === id);
  }

  /** What became of the upload with this id, once its connection has ended; undefined where that takes longer than `patienceMs`. */
  async taken(id: string, patienceMs: number): Promise<Taken | undefined> {
    const already = this.#taken.get(id);
    if (already !== undefined) return already;
    return await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), patienceMs);
      this.#waiting.set(id, (taken) => {
        clearTimeout(timer);
        resolve(taken);
      });
    });
  }

  /** Calls back while an upload comes in; one listener, the newest. */
  onProgress(listener: (progress: Progress) => void): void {
    this.#onProgress = listener;
  }

  async stop(): Promise<void> {
    await this.#child.stop(2_000);
  }

  #hear(said: Exclude<ServerNote, { kind: 'listening' }>): void {
    if (said.kind === 'request') this.#requests.push(said);
    else if (said.kind === 'progress') this.#onProgress?.(said);
    else {
      this.#taken.set(said.id, said);
      this.#waiting.get(said.id)?.(said);
      this.#waiting.delete(said.id);
    }
  }
}
