import { ensureIdentity, openStateDirectory, readFacts, writeFirstConfiguration } from '@tresse/daemon';
import type { Facts } from '@tresse/plan';
import { boxConfig, firstFile, type UplinkConfig } from '@tresse/schema';

/** `tresse box init`: makes identity and configuration where they are missing. Returns what to tell the person. */
export async function initBox(options: { state: string; config: string }): Promise<string> {
  const identity = await ensureIdentity(openStateDirectory(options.state), 'tresse box');
  const written = writeFirstConfiguration(options.config, firstConfiguration(await readFacts()));
  return [
    `${identity.isNew ? 'Made the' : 'Found the'} identity of this box in ${options.state}.`,
    `${written ? 'Wrote' : 'Left as it is:'} ${options.config}`,
    'Look the lines over in it, and pair this box with its relay by "tresse box pair CODE". The pin of this box:',
    identity.pin,
    '',
  ].join('\n');
}

/**
 * A first box.yaml from what the machine has: every interface with a default route is taken for an uplink, and another one
 * with an address for the LAN. Returns YAML text; the relay comes by pairing.
 */
export function firstConfiguration(facts: Facts): string {
  const outward = [...new Set(facts.gateways.map((one) => one.interface))];
  const inward = facts.interfaces
    .filter((one) => !outward.includes(one.name) && one.name !== 'lo' && one.addresses.some((a) => a.lasting))
    .map((one) => one.name);
  return firstFile(boxConfig, 'What this box does. It is read when the box starts, and never written by it.', {
    uplinks: (outward.length > 0 ? outward : ['eth0']).map((name) => ({
      name: nameOf(name),
      interface: name,
      gateway: 'auto',
      kind: kindOf(name),
    })),
    lan: { interfaces: inward.length > 0 ? inward.slice(0, 1) : ['lan0'] },
  });
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
