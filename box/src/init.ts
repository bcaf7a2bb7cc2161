import { ensureIdentity, openStateDirectory, writeFirstConfiguration } from '@tresse/daemon';
import type { Facts } from '@tresse/plan';
import type { UplinkConfig } from '@tresse/schema';

import { readFacts } from './kernel.ts';

/** `tresse box init`: makes identity and configuration where they are missing. Returns what to tell the person. */
export async function initBox(options: { state: string; config: string }): Promise<string> {
  const identity = await ensureIdentity(openStateDirectory(options.state), 'tresse box');
  const written = writeFirstConfiguration(options.config, firstConfiguration(await readFacts()));
  return [
    `${identity.isNew ? 'Made the' : 'Found the'} identity of this box in ${options.state}.`,
    `${written ? 'Wrote' : 'Left as it is:'} ${options.config}`,
    `The pin of this box, for "boxes:" in relay.yaml of its relay:`,
    identity.pin,
    '',
  ].join('\n');
}

/**
 * A first box.yaml from what the machine has: every interface with a default route is taken for an uplink, and another one
 * with an address for the LAN. Returns YAML text; the relay's address and pin are left for the person.
 */
export function firstConfiguration(facts: Facts): string {
  const outward = [...new Set(facts.gateways.map((one) => one.interface))];
  const inward = facts.interfaces
    .filter((one) => !outward.includes(one.name) && one.name !== 'lo' && one.addresses.length > 0)
    .map((one) => one.name);
  const uplinks = outward.length > 0 ? outward : ['eth0'];
  return `# What this box does. It is read at start, and never written by the daemon.

# The internet lines, each by its interface. "gateway" and "address" are found out, unless written here; they must be where
# two lines share an interface. "kind" is one of: adsl, vdsl, cable, fibre, 4g, 5g, satellite, wifi, phone, other.
# "metered: true" marks a line that costs by volume: it is probed seldom. "enabled: false" leaves a line out.
uplinks:
${uplinks.map((name) => `  - name: ${nameOf(name)}\n    interface: ${name}\n    gateway: auto\n    kind: ${kindOf(name)}\n`).join('')}
# Hosts behind these interfaces are bonded.
lan:
  interfaces: [${(inward.length > 0 ? inward.slice(0, 1) : ['lan0']).join(', ')}]

# The other end of the bond: its addresses, and the pin "tresse relay init" printed there.
relay:
  addresses: []
  port: 7443
  pin: ''
`;
}

const nameOf = (interfaceName: string): string => interfaceName.toLowerCase().replaceAll(/[^a-z0-9_.-]/gu, '-');

/** What interfaces of each kind of line are called on Linux. */
const prefixes: readonly (readonly [string, UplinkConfig['kind']])[] = [
  ['ppp', 'vdsl'],
  ['wwan', '4g'],
  ['usb', 'phone'],
  ['wl', 'wifi'],
];

function kindOf(interfaceName: string): UplinkConfig['kind'] {
  return prefixes.find(([prefix]) => interfaceName.startsWith(prefix))?.[1] ?? 'other';
}
