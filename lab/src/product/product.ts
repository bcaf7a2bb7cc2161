import { SystemError } from '@tresse/kit';
import { monotonicMs } from '@tresse/sys';

import type { LabNames } from '../network/addresses.ts';
import { inTurn, until } from '../process/in-turn.ts';
import type { DaemonAct } from '../scenario/event.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import type { PublishedSpec } from '../scenario/visit-step.ts';
import { boxYaml, relayYaml } from './configuration.ts';
import { Daemon, type Room } from './daemon.ts';
import { type SessionCounts, sessionCounts } from './session-counts.ts';

const pollMs = 50;

/** Box and relay running on the stage. */
export class Product {
  readonly #relay: Daemon;
  readonly #box: Daemon;
  readonly #uplinks: number;

  private constructor(relay: Daemon, box: Daemon, uplinks: number) {
    this.#relay = relay;
    this.#box = box;
    this.#uplinks = uplinks;
  }

  /** Makes both identities, tells each the other's pin, and starts both daemons. Throws CommandError, SystemError `PRODUCT`. */
  static async start(
    names: LabNames,
    lines: readonly LineSpec[],
    folder: string,
    published: readonly PublishedSpec[] = [],
  ): Promise<Product> {
    const [relayPin, boxPin] = await Promise.all([
      Daemon.makeIdentity('relay', folder),
      Daemon.makeIdentity('box', folder),
    ]);
    const ipv6 = lines.some((line) => line.ipv6 !== undefined);
    const relay = await Daemon.start('relay', names.relay, folder, relayYaml(boxPin, published, ipv6));
    const box = await Daemon.start('box', names.box, folder, boxYaml(lines, relayPin));
    return new Product(relay, box, lines.length);
  }

  /** Does something to one of the daemons. Returns when, by the monotonic clock: the end of one that is stopped or killed, the start of one that is started. */
  async act(room: Room, what: DaemonAct): Promise<number> {
    const daemon = room === 'box' ? this.#box : this.#relay;
    if (what === 'start') return daemon.wanted ? monotonicMs() : daemon.begin();
    const atMs = await daemon.halt(what === 'crash' ? 'kill' : 'stop');
    if (what !== 'stop') daemon.begin();
    return atMs;
  }

  /** Returns when the session is there with every path up and packets go by the tunnel, or at once while one of the daemons is stopped. Throws SystemError `PRODUCT`: a daemon ended, or `patienceMs` passed. */
  async ready(patienceMs: number): Promise<void> {
    if (!this.#relay.wanted || !this.#box.wanted) return;
    let last = 'the box does not answer';
    const there = await until(
      async () => {
        const dead = [this.#relay, this.#box].find((daemon) => daemon.ended);
        if (dead) throw new SystemError('PRODUCT', `the ${dead.room} ended: ${dead.lastWords()} (log: ${dead.log})`);
        const status = await this.#box.status();
        if (status === undefined) return false;
        const paths = status.sessions.flatMap((session) => session.paths);
        const up = paths.filter((path) => path.state === 'up').length;
        last = `${up} of ${this.#uplinks} paths are up; ${status.summary}; the tunnel: ${status.tunnel ?? 'none'}`;
        return up >= this.#uplinks && status.tunnel === 'carries';
      },
      pollMs,
      patienceMs,
    );
    if (there) return;
    const seconds = Math.round(patienceMs / 1_000);
    throw new SystemError(
      'PRODUCT',
      `not ready after ${seconds} s: ${last} (logs: ${this.#box.log}, ${this.#relay.log})`,
    );
  }

  /** Numbers of both processes; 0 for one that is meant not to run. */
  processes(): Record<Room, number> {
    return { box: this.#box.pid, relay: this.#relay.pid };
  }

  /** What both have counted of their session so far. */
  async counts(): Promise<SessionCounts> {
    return sessionCounts(await Promise.all([this.#box.status(), this.#relay.status()]));
  }

  /** How many handshakes the box has made so far; undefined while it does not answer. */
  async handshakes(): Promise<number | undefined> {
    return (await this.#box.status())?.counters['handshakes'];
  }

  /** What `tresse status` prints of one of them, or says of why it cannot. */
  async statusText(room: Room): Promise<string> {
    return await (room === 'box' ? this.#box : this.#relay).statusText();
  }

  /** Ends both, the box first. Returns sentences on what they left behind or did wrong; none where all is clean. */
  async stop(): Promise<string[]> {
    return (await inTurn([this.#box, this.#relay], (daemon) => daemon.stop())).flat();
  }
}
