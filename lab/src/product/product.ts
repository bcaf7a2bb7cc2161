import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SystemError } from '@tresse/kit';
import { run } from '@tresse/sys';

import type { LabNames } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import { boxYaml, relayYaml } from './configuration.ts';
import { differences, type NetworkState, networkState } from './network-state.ts';
import { readStatus } from './status-reader.ts';

const tresse = join(import.meta.dirname, '../../../bin/tresse');
const pollMs = 50;

/** A daemon of the product in its namespace. */
interface Daemon {
  readonly room: 'relay' | 'box';
  readonly netns: string;
  readonly state: string;
  readonly child: Child;
  readonly before: NetworkState;
  ended: boolean;
}

/** Box and relay, the real programs, running on the stage. */
export class Product {
  readonly #daemons: readonly Daemon[];
  readonly #folder: string;
  readonly #uplinks: number;

  private constructor(daemons: readonly Daemon[], folder: string, uplinks: number) {
    this.#daemons = daemons;
    this.#folder = folder;
    this.#uplinks = uplinks;
  }

  /** Makes both identities, tells each the other's pin, and starts both daemons. Throws CommandError, SystemError `PRODUCT`. */
  static async start(names: LabNames, lines: readonly LineSpec[], folder: string): Promise<Product> {
    const pins = { relay: await identity('relay', folder), box: await identity('box', folder) };
    const texts = { relay: relayYaml(pins.box), box: boxYaml(lines, pins.relay) };
    const daemons: Daemon[] = [];
    const before = { relay: await networkState(names.relay), box: await networkState(names.box) };
    for (const room of ['relay', 'box'] as const) {
      const config = join(folder, `${room}.yaml`);
      writeFileSync(config, texts[room]);
      const state = join(folder, room);
      const child = new Child(names[room], [tresse, room, 'run', '--config', config, '--state', state]);
      child.logTo(join(folder, `${room}.log`));
      const daemon: Daemon = { room, netns: names[room], state, child, before: before[room], ended: false };
      void child.ended.then(() => (daemon.ended = true));
      daemons.push(daemon);
    }
    return new Product(daemons, folder, lines.length);
  }

  /** Returns when the session is there with every path up. Throws SystemError `PRODUCT`: a daemon ended, or `patienceMs` passed. */
  async ready(patienceMs: number): Promise<void> {
    const untilMs = performance.now() + patienceMs;
    let last = 'the box does not answer';
    while (performance.now() < untilMs) {
      const dead = this.#daemons.find((d) => d.ended);
      if (dead)
        throw new SystemError(
          'PRODUCT',
          `the ${dead.room} ended; its log is ${join(this.#folder, `${dead.room}.log`)}`,
        );
      const status = await readStatus(this.#stateOf('box'));
      const paths = status?.sessions.flatMap((session) => session.paths) ?? [];
      const up = paths.filter((path) => path.state === 'up').length;
      if (up >= this.#uplinks) return;
      if (status !== undefined) last = `${up} of ${this.#uplinks} paths are up; ${status.summary}`;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    throw new SystemError(
      'PRODUCT',
      `not ready after ${Math.round(patienceMs / 1_000)} s: ${last} (logs: ${this.#folder})`,
    );
  }

  /** Ends both by SIGTERM, the box first. Returns sentences on what they left behind or did wrong; none where all is clean. */
  async stop(): Promise<string[]> {
    const faults: string[] = [];
    for (const daemon of this.#daemons.toReversed()) {
      const early = daemon.ended;
      const end = await daemon.child.stop(5_000);
      if (early) faults.push(`the ${daemon.room} had ended before it was asked to`);
      else if (end.forced) faults.push(`the ${daemon.room} did not end within 5 s of SIGTERM`);
      else if (end.status !== 0)
        faults.push(`the ${daemon.room} ended with status ${end.status} (${end.signal ?? 'no signal'})`);
      const left = differences(daemon.before, await networkState(daemon.netns));
      faults.push(...left.map((sentence) => `${daemon.room}: ${sentence}`));
    }
    return faults;
  }

  #stateOf(room: Daemon['room']): string {
    return join(this.#folder, room);
  }
}

/** Makes an identity and returns its pin. Throws CommandError, SystemError `PRODUCT`. */
async function identity(room: 'relay' | 'box', folder: string): Promise<string> {
  const state = join(folder, room);
  mkdirSync(state, { recursive: true });
  const written = join(folder, `${room}.example.yaml`);
  const said = await run([tresse, room, 'init', '--state', state, '--config', written], { timeoutMs: 20_000 });
  const pin = /(?<![\w-])[\w-]{43}(?![\w-])/u.exec(said)?.[0];
  if (pin === undefined) throw new SystemError('PRODUCT', `"tresse ${room} init" printed no pin: ${said.trim()}`);
  return pin;
}
