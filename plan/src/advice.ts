import { TresseError } from '@tresse/kit';
import { type BoxConfig, ipNetwork, ipWithin, type RelayConfig } from '@tresse/schema';

import type { Facts, InterfaceFact } from './facts.ts';
import type { ResolvedUplink } from './uplink.ts';

/** What a person should know before a daemon runs with this configuration on this machine. */
export interface Advice {
  /** A `problem` keeps it from doing its work; with a `warning` it works, worse or later. */
  readonly severity: 'problem' | 'warning';
  readonly sentence: string;
}

/** Advice on what keeps a daemon from its work. */
export const problem = (sentence: string): Advice => ({ severity: 'problem', sentence });
/** Advice on what makes its work worse. */
export const warning = (sentence: string): Advice => ({ severity: 'warning', sentence });

/**
 * What a daemon would refuse to start for, as advice: `need` throws it. What merely cannot be looked at without more rights is
 * only a warning. Throws what is no fault of the person's.
 */
export function adviseNeed(need: () => unknown): Advice[] {
  try {
    need();
    return [];
  } catch (error) {
    if (!(error instanceof TresseError) || error.fault !== 'user') throw error;
    const sentence = error.message.replace(/\.$/u, '');
    return [error.code === 'STATE_UNREADABLE' ? warning(`without root: ${sentence}`) : problem(sentence)];
  }
}

/** What does not fit between box.yaml and the machine. */
export function adviseBox(config: BoxConfig, facts: Facts, uplinks: readonly ResolvedUplink[]): Advice[] {
  return [
    ...uplinks.flatMap((one) => (one.enabled && one.fault !== undefined ? [warning(`${one.name}: ${one.fault}`)] : [])),
    ...(uplinks.some((one) => one.fault === undefined)
      ? []
      : [warning('no line can send now: nothing leaves until one can')]),
    ...config.lan.interfaces.flatMap((name) => adviseLan(name, facts)),
    ...uplinks.flatMap((one) => clashes(one, config.lan.interfaces, facts)),
    ...sharedAddresses(uplinks),
    ...config.relay.addresses.flatMap((address) => adviseRelayAddress(address, config, facts)),
  ];
}

function adviseLan(name: string, facts: Facts): Advice[] {
  const found = facts.interfaces.find((one) => one.name === name);
  if (!found) return [problem(`lan: there is no interface ${name}: no host behind it is bonded`)];
  if (!found.up) return [warning(`lan: interface ${name} is switched off (ip link set ${name} up)`)];
  if (!found.addresses.some((one) => one.lasting)) {
    return [warning(`lan: interface ${name} has no address: hosts there cannot use this box as their gateway yet`)];
  }
  return found.carrier ? [] : [warning(`lan: no carrier on ${name}`)];
}

function clashes(uplink: ResolvedUplink, lan: readonly string[], facts: Facts): Advice[] {
  if (!uplink.enabled) return [];
  const inward = networksOf(facts.interfaces.filter((one) => lan.includes(one.name) && one.name !== uplink.interface));
  return uplink.addresses.flatMap(({ network }) =>
    inward
      .filter((one) => overlap(one.network, network))
      .map((one) =>
        problem(
          `the LAN on ${one.interface} (${one.network}) and the line ${uplink.name} (${network}) overlap: answers would go ` +
            'to the wrong side; give one of them another network',
        ),
      ),
  );
}

function sharedAddresses(uplinks: readonly ResolvedUplink[]): Advice[] {
  return uplinks.flatMap((one, index) =>
    one.addresses.flatMap(({ address }) => {
      const twin = uplinks.slice(0, index).find((other) => other.addresses.some((held) => held.address === address));
      if (!twin) return [];
      return [
        problem(
          `the lines ${twin.name} and ${one.name} have the same address ${address}: packets cannot be told apart`,
        ),
      ];
    }),
  );
}

function adviseRelayAddress(address: string, config: BoxConfig, facts: Facts): Advice[] {
  const owner = facts.interfaces.find((one) => one.addresses.some((held) => held.address === address));
  if (owner) return [problem(`relay: ${address} is this machine's own address (on ${owner.name})`)];
  const lan = networksOf(facts.interfaces.filter((one) => config.lan.interfaces.includes(one.name)));
  const inside = lan.find((one) => ipWithin(address, one.network));
  if (!inside) return [];
  return [
    problem(
      `relay: ${address} lies in the LAN on ${inside.interface} (${inside.network}), behind this box instead of before it`,
    ),
  ];
}

/** Networks of addresses that are known beyond their link. */
function networksOf(interfaces: readonly InterfaceFact[]): { interface: string; network: string }[] {
  return interfaces.flatMap((one) =>
    one.addresses
      .filter((held) => !ipWithin(held.address, 'fe80::/10'))
      .map(({ address, prefixLength }) => ({ interface: one.name, network: ipNetwork(address, prefixLength) })),
  );
}

const base = (network: string): string => network.split('/')[0] ?? '';

function overlap(a: string, b: string): boolean {
  return ipWithin(base(a), b) || ipWithin(base(b), a);
}

/** What does not fit between relay.yaml and the machine. */
export function adviseRelay(config: RelayConfig, facts: Facts): Advice[] {
  const own = facts.interfaces.flatMap((one) => one.addresses.map((held) => held.address));
  const global = own.filter((address) => privateNetworks.every((network) => !ipWithin(address, network)));
  return [
    ...config.listen.addresses.flatMap((address) =>
      address === 'any' || own.includes(address)
        ? []
        : [problem(`listen: ${address} is not an address of this machine`)],
    ),
    ...(facts.gateways.length > 0
      ? []
      : [problem('this machine has no default route: nothing behind it can be reached')]),
    ...(global.length > 0 || config.public === undefined
      ? []
      : [
          warning(
            `${config.public.join(' and ')} must pass TCP port ${config.listen.port} on to here: this machine has no public ` +
              'address of its own',
          ),
        ]),
    ...config.allowPrivate
      .filter((network) => own.some((address) => !loopback.has(address) && ipWithin(address, network)))
      .map((network) =>
        warning(
          `allowPrivate: ${network} holds an address of this machine; boxes reach its neighbours, and it itself stays refused`,
        ),
      ),
  ];
}

const loopback = new Set(['127.0.0.1', '::1']);

/** Not reached from the internet (RFC 6890). */
const privateNetworks = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];
