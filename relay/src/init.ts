import { ensureIdentity, openStateDirectory, writeFirstConfiguration } from '@tresse/daemon';
import { firstFile, relayConfig } from '@tresse/schema';

const intro = 'What this relay does. It is read when the relay starts, and never written by it.';

/** `tresse relay init`: makes identity and configuration where they are missing. Returns what to tell the person. */
export async function initRelay(options: { state: string; config: string }): Promise<string> {
  const identity = await ensureIdentity(openStateDirectory(options.state), 'tresse relay');
  const written = writeFirstConfiguration(options.config, firstFile(relayConfig, intro, { listen: { port: 7443 } }));
  return [
    `${identity.isNew ? 'Made the' : 'Found the'} identity of this relay in ${options.state}.`,
    `${written ? 'Wrote' : 'Left as it is:'} ${options.config}`,
    `The pin of this relay, for "relay: pin:" in box.yaml of its boxes:`,
    identity.pin,
    '',
  ].join('\n');
}
