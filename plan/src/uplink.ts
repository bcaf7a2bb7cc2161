import { type BoxConfig, type Family, given, ipFamily, ipNetwork, ipWithin, type UplinkConfig } from '@tresse/schema';

import type { AddressFact, Facts, InterfaceFact } from './facts.ts';

/** An uplink's source address of one family. */
export interface UplinkAddress {
  readonly family: Family;
  readonly address: string;
  /** The network of that address, `10.0.1.0/24`. */
  readonly network: string;
  /** Absent on a point-to-point interface, where none is needed, or while none is known. */
  readonly gateway?: string;
  /** Whether there is a way from here to the internet. */
  readonly routed: boolean;
}

/** A configured uplink with what the machine says of it. */
export interface ResolvedUplink {
  readonly name: string;
  readonly interface: string;
  readonly index: number;
  readonly enabled: boolean;
  readonly metered: boolean;
  /** What Tresse may put on it, bits per second. */
  readonly rateLimit?: { readonly downBps?: number; readonly upBps?: number };
  readonly kind: UplinkConfig['kind'];
  /** The source addresses its packets carry, at most one of each family, IPv4 first. */
  readonly addresses: readonly UplinkAddress[];
  /** Octets of the largest packet; 0 while there is no interface. */
  readonly mtu: number;
  readonly up: boolean;
  readonly carrier: boolean;
  /** Why packets of no family can be sent by it, as a sentence; absent when they can. */
  readonly fault?: string;
}

/** Every uplink of the configuration as the machine has it now, in the configuration's order. */
export function resolveUplinks(config: Pick<BoxConfig, 'uplinks'>, facts: Facts): ResolvedUplink[] {
  return config.uplinks.map((uplink, index) => resolve(uplink, index, facts));
}

/** The address by which an uplink can send packets of a family now; undefined when it cannot. */
export function sendingAddress(uplink: ResolvedUplink, family: Family): UplinkAddress | undefined {
  if (uplink.fault !== undefined) return undefined;
  return uplink.addresses.find((one) => one.family === family && one.routed);
}

function resolve(uplink: UplinkConfig, index: number, facts: Facts): ResolvedUplink {
  const found = facts.interfaces.find((one) => one.name === uplink.interface);
  const addresses = ([4, 6] as const).flatMap((family) => addressOf(uplink, found, facts, family));
  const fault = faultOf(uplink, found, addresses);
  return {
    name: uplink.name,
    interface: uplink.interface,
    index,
    enabled: uplink.enabled,
    metered: uplink.metered,
    ...(uplink.rateLimit && { rateLimit: limitsOf(uplink.rateLimit) }),
    kind: uplink.kind,
    addresses,
    mtu: found?.mtu ?? 0,
    up: found?.up ?? false,
    carrier: found?.carrier ?? false,
    ...(fault !== undefined && { fault }),
  };
}

function limitsOf({ down, up }: NonNullable<UplinkConfig['rateLimit']>): NonNullable<ResolvedUplink['rateLimit']> {
  return { ...(down !== undefined && { downBps: down }), ...(up !== undefined && { upBps: up }) };
}

function addressOf(
  uplink: UplinkConfig,
  found: InterfaceFact | undefined,
  facts: Facts,
  family: Family,
): UplinkAddress[] {
  const wantedGateway = given(uplink.gateway).find((one) => ipFamily(one) === family);
  const chosen = choose(uplink, found?.addresses ?? [], wantedGateway, family);
  if (!chosen) return [];
  const { address, prefixLength } = chosen;
  const network = ipNetwork(address, prefixLength);
  const gateway = wantedGateway ?? knownGateway(uplink.interface, facts, family, network);
  const routed = gateway !== undefined || found?.pointToPoint === true;
  return [{ family, address, network, routed, ...(gateway !== undefined && { gateway }) }];
}

/**
 * The address named in the configuration, and where one of any family is named no other; else the interface's own, in the
 * gateway's network where there are several. Ties go to the first by text, so that the choice lasts.
 */
function choose(
  uplink: UplinkConfig,
  all: readonly AddressFact[],
  gateway: string | undefined,
  family: Family,
): AddressFact | undefined {
  const named = given(uplink.address);
  if (named.length > 0) return all.find((one) => one.family === family && named.includes(one.address));
  const lasting = all.filter((one) => one.family === family && one.lasting);
  const near = lasting.filter(
    (one) => gateway !== undefined && ipWithin(gateway, ipNetwork(one.address, one.prefixLength)),
  );
  const able = near.length > 0 ? near : lasting;
  // The kernel lists IPv4 addresses with the primary one first.
  if (family === 4) return able[0];
  return able.toSorted((a, b) => a.rank - b.rank || (a.address < b.address ? -1 : 1))[0];
}

function knownGateway(name: string, facts: Facts, family: Family, network: string): string | undefined {
  const onInterface = facts.gateways.filter((one) => one.interface === name && one.family === family);
  const inside = onInterface.find((one) => ipWithin(one.gateway, network));
  return (inside ?? onInterface[0])?.gateway;
}

function faultOf(
  uplink: UplinkConfig,
  found: InterfaceFact | undefined,
  addresses: readonly UplinkAddress[],
): string | undefined {
  if (!uplink.enabled) return 'switched off in box.yaml';
  if (!found) return `there is no interface ${uplink.interface}`;
  if (!found.up) return `interface ${uplink.interface} is switched off (ip link set ${uplink.interface} up)`;
  if (!found.carrier) return `no carrier on ${uplink.interface}`;
  const named = given(uplink.address);
  if (addresses.length === 0 && named.length > 0) {
    return `interface ${uplink.interface} does not have ${named.join(' or ')}`;
  }
  if (addresses.length === 0) return `interface ${uplink.interface} has no address yet`;
  if (!addresses.some((one) => one.routed)) {
    return `no default route by ${uplink.interface} is known: give this uplink its "gateway" in box.yaml`;
  }
  return undefined;
}
