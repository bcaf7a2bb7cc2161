import { ensureIdentity, openStateDirectory, writeFirstConfiguration } from '@tresse/daemon';

const text = `# What this relay does. It is read at start, and never written by the daemon.

# Boxes open their connections to this TCP port.
listen:
  port: 7443

# The boxes that may connect, each with the pin "tresse box init" prints.
boxes: []
#  - name: home
#    pin: 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU

# Private networks behind this relay that boxes may reach; everything private is refused otherwise.
allowPrivate: []
#  - 10.20.0.0/16
`;

/** `tresse relay init`: makes identity and configuration where they are missing. Returns what to tell the person. */
export async function initRelay(options: { state: string; config: string }): Promise<string> {
  const identity = await ensureIdentity(openStateDirectory(options.state), 'tresse relay');
  const written = writeFirstConfiguration(options.config, text);
  return [
    `${identity.isNew ? 'Made the' : 'Found the'} identity of this relay in ${options.state}.`,
    `${written ? 'Wrote' : 'Left as it is:'} ${options.config}`,
    `The pin of this relay, for "relay: pin:" in box.yaml of its boxes:`,
    identity.pin,
    '',
  ].join('\n');
}
