import { type FSWatcher, watch } from 'node:fs';

import type { Log, StateDirectory } from '@tresse/daemon';
import { sentenceOf, UserError } from '@tresse/kit';
import type { BoxConfig, BoxFile, RelayPlace } from '@tresse/schema';

import { pairingFile, withRelay } from './pairing-file.ts';

/** Sees that this box was paired with another relay while it runs, unless box.yaml names the relay. */
export class PairingWatch {
  readonly #file: BoxFile;
  readonly #directory: StateDirectory;
  readonly #log: Log;
  readonly #again: () => void;
  #watcher: FSWatcher | undefined;
  #changed: (() => void) | undefined;

  /** `again` is called when the box was paired with the relay it has already. */
  constructor(file: BoxFile, directory: StateDirectory, log: Log, again: () => void) {
    this.#again = again;
    this.#file = file;
    this.#directory = directory;
    this.#log = log;
    if (file.relay) return;
    try {
      // The directory, for the file is replaced as a whole.
      this.#watcher = watch(directory.path, (_, name) => {
        if (name === pairingFile) this.#changed?.();
      });
      this.#watcher.on('error', (error) => this.#blind(error));
    } catch (error) {
      this.#blind(error);
    }
  }

  /** Resolves with the configuration to go on with, once the pairing names another relay than this. */
  other(relay: RelayPlace): Promise<BoxConfig> {
    return new Promise((resolve) => {
      const look = (): void => {
        const next = this.#read();
        if (!next) return;
        if (JSON.stringify(next.relay) === JSON.stringify(relay)) {
          this.#again();
          return;
        }
        this.#changed = undefined;
        this.#log.info('this box was paired anew', { relay: next.relay.addresses.join(',') });
        resolve(next);
      };
      this.#changed = look;
      // It may have changed before anybody waited for it.
      look();
    });
  }

  stop(): void {
    this.#watcher?.close();
  }

  #read(): BoxConfig | undefined {
    try {
      return withRelay(this.#file, this.#directory);
    } catch (error) {
      // Not paired yet, or not any more: no reason to change anything.
      if (error instanceof UserError && error.code === 'RELAY_UNKNOWN') return undefined;
      this.#log.warn('the pairing could not be read', { reason: sentenceOf(error) });
      return undefined;
    }
  }

  #blind(error: unknown): void {
    this.#log.warn('a new pairing will need a restart of the box', { reason: sentenceOf(error) });
  }
}
