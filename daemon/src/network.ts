import { SystemError } from '@tresse/kit';
import {
  type ChangedSysctls,
  diff,
  type Facts,
  type NetworkState,
  nothing,
  renderStep,
  type Sysctls,
  sysctlsBefore,
} from '@tresse/plan';

import { readChangedSysctls, sysctlFile } from './changed-sysctls.ts';
import { applySteps, readFacts, readKernel } from './kernel.ts';
import type { Log } from './log.ts';
import type { StateDirectory } from './state-directory.ts';

/** Looks at the kernel during tear-down before what is left is given up. */
const tearDownsMax = 3;

/** What the kernel should hold of ours, and whatever else came of deciding that. */
export interface Decision<Result> {
  readonly desired: NetworkState;
  readonly result: Result;
}

/**
 * Keeps the kernel's network state as it is decided, and takes back exactly what is ours. Every look begins from what the kernel says, so a
 * killed predecessor's leavings are mended or removed by the same steps.
 */
export class Network {
  readonly #directory: StateDirectory;
  readonly #log: Log;
  #last: Promise<unknown> = Promise.resolve();
  /** What sysctls were before, as the file has it or should have it. */
  #known: ChangedSysctls | undefined;

  constructor(directory: StateDirectory, log: Log) {
    this.#directory = directory;
    this.#log = log;
  }

  /**
   * Brings the kernel to what `decide` says, which is told what the machine is like, and the values of the sysctls it wants to know as they were before us. Returns
   * its result. One call at a time: later ones wait. Throws CommandError when the kernel cannot be read.
   */
  refresh<Result>(
    sysctls: readonly string[],
    decide: (facts: Facts, before: Sysctls) => Decision<Result>,
  ): Promise<Result> {
    return this.#inTurn(async () => {
      const changed = this.#changed();
      const [facts, kernel] = await Promise.all([readFacts(), readKernel([...sysctls, ...Object.keys(changed)])]);
      const { desired, result } = decide(facts, sysctlsBefore(kernel.sysctls, changed));
      const steps = diff(desired, kernel, changed);
      for (const step of steps) this.#log.debug('network', { step: renderStep(step) });
      await applySteps(steps, changed, (now) => this.#remember(now), this.#log);
      return result;
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
