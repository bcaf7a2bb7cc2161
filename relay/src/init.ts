import { existsSync } from 'node:fs';

import { ensureIdentity, openStateDirectory, startCommand, writeFirstConfiguration } from '@tresse/daemon';
import { UserError } from '@tresse/kit';
import { firstFile, readJsonValue, relayConfig } from '@tresse/schema';

import { ownPublicAddresses } from './public-addresses.ts';

const intro = 'What this relay does. It is read when the relay starts, and never written by it.';

/**
 * `tresse relay init`: makes identity and configuration where they are missing. `given` are the addresses boxes shall use,
 * separated by commas; those of the machine where it is undefined. Returns what to tell the person. Throws UserError
 * `NO_PUBLIC_ADDRESS`, `ADDRESS`: then nothing was made.
 */
export async function initRelay(options: { state: string; config: string }, given?: string): Promise<string> {
  const wished = given === undefined ? undefined : addressesIn(given);
  // A file that is there is left alone, so nothing need be found out for it.
  const addresses = existsSync(options.config)
    ? []
    : (wished ?? (await ownPublicAddresses('name one by --public ADDRESS')));
  const identity = await ensureIdentity(openStateDirectory(options.state), 'tresse relay');
  const text = firstFile(relayConfig, intro, { public: addresses, listen: { port: 7443 } });
  const written = writeFirstConfiguration(options.config, text);
  const ignored = !written && wished !== undefined;
  return [
    `${identity.isNew ? 'Made the' : 'Found the'} identity of this relay in ${options.state}.`,
    `${written ? 'Wrote' : 'Left as it is:'} ${options.config}`,
    ...(written ? [`Boxes will look for this relay at ${addresses.join(', ')}.`] : []),
    ...(ignored ? [`For other addresses, write "public: [${wished.join(', ')}]" there, and restart the relay.`] : []),
    `Start it by "${startCommand('relay')}", and let a box in by "tresse relay pair". The pin of this relay:`,
    identity.pin,
    '',
  ].join('\n');
}

function addressesIn(given: string): string[] {
  const addresses = given.split(',').map((one) => one.trim());
  const reading = readJsonValue({ public: addresses }, relayConfig);
  if (!reading.ok) throw new UserError('ADDRESS', `--public ${given}: ${reading.sentences.join('; ')}`);
  return addresses;
}
