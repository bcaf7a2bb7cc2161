import type { Log, StateDirectory } from '@tresse/daemon';
import { SystemError } from '@tresse/kit';
import {
  type ChangedSysctls,
  type Choice,
  desiredState,
  diff,
  forwardsIpv6,
  nothing,
  renderStep,
  type ResolvedUplink,
  resolveUplinks,
  sysctlsBefore,
  sysctlsWanted,
} from '@tresse/plan';
import type { BoxConfig } from '@tresse/schema';

import { readChangedSysctls, sysctlFile } from './changed-sysctls.ts';
import { applySteps, readFacts, readKernel } from './kernel.ts';

/** Looks at the kernel during tear-down before what is left is given up. */
const tearDownsMax = 3;

/** What of the machine matters for it. */
export interface Machine {
  readonly forwardsIpv6: boolean;
}

/**
 * Keeps the kernel's network state as the configuration wants it, and takes back exactly what is ours. Every look begins from
 * what the kernel says, so a killed predecessor's leavings are mended or removed by the same steps.
 */
export class Network {
  readonly #config: BoxConfig;
  readonly #directory: StateDirectory;
  readonly #log: Log;
  #last: Promise<unknown> = Promise.resolve();
  /** What sysctls were before, as the file has it or should have it. */
  #known: ChangedSysctls | undefined;

  constructor(config: BoxConfig, directory: StateDirectory, log: Log) {
    this.#config = config;
    this.#directory = directory;
    this.#log = log;
  }

  /**
   * Brings the kernel to what is wanted now. `choose` says by which uplinks direct traffic leaves, and what becomes of new
   * connections. Returns the uplinks as the machine has them. One call at a time: later ones wait. Throws CommandError when
   * the kernel cannot be read.
   */
  refresh(
    choose: (uplinks: readonly ResolvedUplink[], machine: Machine) => Choice,
  ): Promise<readonly ResolvedUplink[]> {
    return this.#inTurn(async () => {
      const changed = this.#changed();
      const wanted = sysctlsWanted(this.#config);
      const [facts, kernel] = await Promise.all([readFacts(), readKernel([...wanted, ...Object.keys(changed)])]);
      const uplinks = resolveUplinks(this.#config, facts);
      const before = sysctlsBefore(kernel.sysctls, changed);
      const choice = choose(uplinks, { forwardsIpv6: forwardsIpv6(before) });
      const desired = desiredState({ config: this.#config, uplinks, sysctls: before, ...choice });
      const steps = diff(desired, kernel, changed);
      for (const step of steps) this.#log.debug('network', { step: renderStep(step) });
      await applySteps(steps, changed, (now) => this.#remember(now), this.#log);
      return uplinks;
    });
  }

  /** Removes everything that is ours. Throws SystemError `NETWORK_LEFT` when something could not be removed. */
  tearDown(): Promise<void> {
    return this.#inTurn(async () => {
      const left = await this.#takeBack(tearDownsMax);
      if (left === 0) return;
      throw new SystemError('NETWORK_LEFT', `${left} things of ours could not be removed from the network's set-up`);
    });
  }

  /** Returns how many steps are still to be done after so many attempts. */
  async #takeBack(attempts: number): Promise<number> {
    const changed = this.#changed();
    const kernel = await readKernel(Object.keys(changed));
    const steps = diff(nothing, kernel, changed);
    if (steps.length === 0 || attempts === 0) return steps.length;
    for (const step of steps) this.#log.debug('network', { step: renderStep(step) });
    await applySteps(steps, changed, (now) => this.#remember(now), this.#log);
    return this.#takeBack(attempts - 1);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  #changed(): ChangedSysctls {
    if (this.#known) return this.#known;
    this.#known = readChangedSysctls(this.#directory);
    if (this.#known) return this.#known;
    this.#log.warn('what sysctls were before is not known: the file is damaged', { file: sysctlFile });
    return (this.#known = {});
  }

  /** Throws UserError `STATE_UNWRITABLE` when something new cannot be written down: then it must not be changed. */
  #remember(changed: ChangedSysctls): void {
    const before = this.#changed();
    const forgets = Object.keys(changed).every((key) => key in before);
    try {
      if (Object.keys(changed).length === 0) this.#directory.remove(sysctlFile);
      else this.#directory.write(sysctlFile, `${JSON.stringify(changed)}\n`);
    } catch (error) {
      // What the file has too much is seen at the next start to be as it was before, and forgotten then.
      if (!forgets) throw error;
    }
    this.#known = changed;
  }
}
