import type { StateDirectory, StateReader } from '@tresse/daemon';
import { UserError } from '@tresse/kit';
import { type BoxConfig, type BoxFile, type Pairing, pairing, type RelayPlace, relayPort } from '@tresse/schema';

/** Its name in the state directory. */
export const pairingFile = 'pairing.json';

/** What this box keeps of its relay; undefined when it was not paired. Throws UserError `PAIRING_BROKEN`, `STATE_UNREADABLE`. */
function readPairing(directory: StateReader): Pairing | undefined {
  const text = directory.read(pairingFile);
  if (text === undefined) return undefined;
  try {
    return pairing.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(
      'PAIRING_BROKEN',
      `${directory.file(pairingFile)} is damaged: pair this box again by "tresse box pair CODE".`,
      error,
    );
  }
}

/** Throws UserError `STATE_UNWRITABLE`. */
export function keepPairing(directory: StateDirectory, kept: Pairing): void {
  directory.write(pairingFile, `${JSON.stringify(kept, null, 1)}\n`);
}

/**
 * A box's configuration with its relay: that of box.yaml, else the one it is paired with. Throws UserError `RELAY_UNKNOWN`
 * where there is neither, and as {@link readPairing}.
 */
export function withRelay(file: BoxFile, directory: StateReader): BoxConfig {
  if (file.relay) return { ...file, relay: file.relay };
  const paired = readPairing(directory);
  if (!paired) {
    throw new UserError(
      'RELAY_UNKNOWN',
      'This box knows no relay: get a code by "tresse relay pair" there, and pair it by "tresse box pair CODE".',
    );
  }
  const { addresses, port, pin } = paired;
  return { ...file, relay: { addresses, port, pin } };
}

/** A relay that is nowhere: nothing is dialled. */
export const nowhere: RelayPlace = { addresses: [], port: relayPort, pin: '' };

/** As {@link withRelay}; where there is neither, a relay that is {@link nowhere}. Throws UserError `PAIRING_BROKEN`, `STATE_UNREADABLE`. */
export function withRelayOrNone(file: BoxFile, directory: StateReader): BoxConfig {
  try {
    return withRelay(file, directory);
  } catch (error) {
    if (error instanceof UserError && error.code === 'RELAY_UNKNOWN') return { ...file, relay: nowhere };
    throw error;
  }
}
