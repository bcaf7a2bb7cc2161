import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { sentenceOf, SystemError } from '@tresse/kit';
import type { DaemonStatus } from '@tresse/schema';
import { monotonicMs, run } from '@tresse/sys';

import { addresses } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import { differences, type NetworkState, networkState } from './network-state.ts';
import { readStatus } from './status-reader.ts';

const tresse = join(import.meta.dirname, '../../../bin/tresse');
const stopMs = 5_000;

/** Which of the two daemons. */
export type Room = 'relay' | 'box';

/** One of the product's daemons in its namespace, the real program. */
export class Daemon {
  readonly room: Room;
  readonly log: string;
  readonly #netns: string;
  readonly #state: string;
  readonly #before: NetworkState;
  readonly #argv: string[];
  /** What it did wrong when it was stopped on the way. */
  readonly #faults: string[] = [];
  /** Undefined while it is meant not to run. */
  #child: Child | undefined;
  #ended = false;

  private constructor(room: Room, netns: string, folder: string, before: NetworkState) {
    this.room = room;
    this.log = join(folder, `${room}.log`);
    this.#netns = netns;
    this.#state = join(folder, room);
    this.#before = before;
    const config = join(folder, `${room}.yaml`);
    this.#argv = [tresse, room, 'run', '--config', config, '--state', this.#state];
    this.begin();
  }

  /** Starts it again after it was stopped or killed. Returns when, by the monotonic clock. */
  begin(): number {
    const child = new Child(this.#netns, this.#argv);
    child.logTo(this.log);
    void child.ended.then(() => (this.#ended ||= this.#child === child));
    this.#child = child;
    this.#ended = false;
    return monotonicMs();
  }

  /** Stops it in the ordinary way, or kills it. Returns when it was told to, by the monotonic clock. */
  async halt(how: 'stop' | 'kill'): Promise<number> {
    const child = this.#child;
    const early = this.#ended;
    this.#child = undefined;
    const atMs = monotonicMs();
    if (child === undefined) return atMs;
    if (how === 'kill') {
      child.process.kill('SIGKILL');
      await child.ended;
    } else this.#faults.push(...faultsOf(early, await child.stop(stopMs)));
    return atMs;
  }

  /** Makes the identity in the folder and returns its pin. Throws CommandError, SystemError `PRODUCT`. */
  static async makeIdentity(room: Room, folder: string): Promise<string> {
    const state = join(folder, room);
    mkdirSync(state, { recursive: true, mode: 0o700 });
    const example = join(folder, `${room}.example.yaml`);
    const found = room === 'relay' ? ['--public', addresses.relay] : [];
    const init = [tresse, room, 'init', '--state', state, '--config', example, ...found];
    const said = await run(init, { timeoutMs: 20_000 });
    const pin = /^[\w-]{43}$/mu.exec(said)?.[0];
    if (pin === undefined) throw new SystemError('PRODUCT', `"tresse ${room} init" printed no pin: ${said.trim()}`);
    return pin;
  }

  /** Notes what its namespace is like, and starts it on this configuration. Throws CommandError. */
  static async start(room: Room, netns: string, folder: string, yaml: string): Promise<Daemon> {
    writeFileSync(join(folder, `${room}.yaml`), yaml);
    return new Daemon(room, netns, folder, await networkState(netns));
  }

  /** Number of its process; 0 while it is meant not to run. */
  get pid(): number {
    return this.#child?.process.pid ?? 0;
  }

  /** It is meant to run. */
  get wanted(): boolean {
    return this.#child !== undefined;
  }

  /** It is not there any more, and should be. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The last line it wrote. */
  lastWords(): string {
    const text = existsSync(this.log) ? readFileSync(this.log, 'utf8').trimEnd() : '';
    return text.slice(text.lastIndexOf('\n') + 1);
  }

  /** What it says of itself; undefined while it does not answer. */
  async status(): Promise<DaemonStatus | undefined> {
    return await readStatus(this.#state);
  }

  /** What `tresse status` prints, or says of why it cannot. */
  async statusText(): Promise<string> {
    const asked = run([tresse, 'status', '--state', this.#state], { timeoutMs: 10_000 });
    return await asked.catch((error: unknown) => sentenceOf(error));
  }

  /** Ends it by SIGTERM. Returns sentences on what it left behind or did wrong, now or earlier; none where all is clean. */
  async stop(): Promise<string[]> {
    await this.halt('stop');
    const left = differences(this.#before, await networkState(this.#netns));
    return [...this.#faults, ...left].map((fault) => `${this.room}: ${fault}`);
  }
}

function faultsOf(early: boolean, end: Awaited<ReturnType<Child['stop']>>): string[] {
  if (early) return ['had ended before it was asked to'];
  if (end.forced) return [`did not end within ${stopMs / 1_000} s of SIGTERM`];
  return end.status === 0 ? [] : [`ended with status ${end.status} (${end.signal ?? 'no signal'})`];
}
