import { UserError } from '@tresse/kit';

import type { LabNames } from './network/addresses.ts';
import { endProcesses } from './network/sweep.ts';

const repeatMs = 300;

/**
 * Ctrl-C and SIGTERM: everything that runs inside the lab is ended, so that whoever waits for it gets on and takes the stage down
 * in the ordinary way. A second signal ends the program at once; then the next run sweeps.
 */
export class Interruption {
  readonly #names: LabNames;
  readonly #onSignal = (): void => this.#begin();
  #timer: NodeJS.Timeout | undefined;
  #came = false;

  constructor(names: LabNames) {
    this.#names = names;
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }

  get came(): boolean {
    return this.#came;
  }

  /** Throws UserError `INTERRUPTED` after a signal. */
  check(): void {
    if (this.#came) throw new UserError('INTERRUPTED', 'interrupted');
  }

  /** Listens no longer. */
  end(): void {
    clearInterval(this.#timer);
    process.off('SIGINT', this.#onSignal);
    process.off('SIGTERM', this.#onSignal);
  }

  #begin(): void {
    if (this.#came) process.kill(process.pid, 'SIGKILL');
    this.#came = true;
    const endAll = (): void => void endProcesses(this.#names).catch(() => undefined);
    endAll();
    // Again and again: what is begun between two phases has to end too.
    this.#timer = setInterval(endAll, repeatMs);
  }
}
