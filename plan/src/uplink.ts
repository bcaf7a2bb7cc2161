import { type BoxConfig, ipv4Network, ipv4Within, type UplinkConfig } from '@tresse/schema';

import type { Facts, InterfaceFact } from './facts.ts';

/** A configured uplink with what the machine says of it. */
export interface ResolvedUplink {
  readonly name: string;
  readonly interface: string;
  readonly index: number;
  readonly enabled: boolean;
  readonly metered: boolean;
  readonly kind: UplinkConfig['kind'];
  /** The source address its packets carry; absent while it has none. */
  readonly address?: string;
  /** The network of that address, `10.0.1.0/24`. */
  readonly network?: string;
  /** Absent on a point-to-point interface, where none is needed. */
  readonly gateway?: string;
  readonly up: boolean;
  readonly carrier: boolean;
  /** Why packets cannot be sent by it, as a sentence; absent when they can. */
  readonly fault?: string;
}

/** Every uplink of the configuration as the machine has it now, in the configuration's order. */
export function resolveUplinks(config: BoxConfig, facts: Facts): ResolvedUplink[] {
  return config.uplinks.map((uplink, index) => resolve(uplink, index, facts));
}

function resolve(uplink: UplinkConfig, index: number, facts: Facts): ResolvedUplink {
  const found = facts.interfaces.find((one) => one.name === uplink.interface);
  const address = addressOf(uplink, found);
  const network = address && ipv4Network(address.address, address.prefixLength);
  const gateway = gatewayOf(uplink, facts, network);
  const fault = faultOf(uplink, found, address !== undefined, gateway !== undefined);
  return {
    name: uplink.name,
    interface: uplink.interface,
    index,
    enabled: uplink.enabled,
    metered: uplink.metered,
    kind: uplink.kind,
    up: found?.up ?? false,
    carrier: found?.carrier ?? false,
    ...(address && { address: address.address }),
    ...(network !== undefined && { network }),
    ...(gateway !== undefined && { gateway }),
    ...(fault !== undefined && { fault }),
  };
}

function addressOf(
  uplink: UplinkConfig,
  found: InterfaceFact | undefined,
): InterfaceFact['addresses'][number] | undefined {
  if (uplink.address !== 'auto') return found?.addresses.find((one) => one.address === uplink.address);
  const inside = found?.addresses.find(
    (one) => uplink.gateway !== 'auto' && ipv4Within(uplink.gateway, ipv4Network(one.address, one.prefixLength)),
  );
  return inside ?? found?.addresses[0];
}

function gatewayOf(uplink: UplinkConfig, facts: Facts, network: string | undefined): string | undefined {
  if (uplink.gateway !== 'auto') return uplink.gateway;
  const onInterface = facts.gateways.filter((one) => one.interface === uplink.interface);
  const inside = onInterface.find((one) => network !== undefined && ipv4Within(one.gateway, network));
  return (inside ?? onInterface[0])?.gateway;
}

function faultOf(
  uplink: UplinkConfig,
  found: InterfaceFact | undefined,
  addressed: boolean,
  routed: boolean,
): string | undefined {
  if (!uplink.enabled) return 'switched off in box.yaml';
  if (!found) return `there is no interface ${uplink.interface}`;
  if (!found.up) return `interface ${uplink.interface} is switched off (ip link set ${uplink.interface} up)`;
  if (!found.carrier) return `no carrier on ${uplink.interface}`;
  if (!addressed && uplink.address !== 'auto') return `interface ${uplink.interface} does not have ${uplink.address}`;
  if (!addressed) return `interface ${uplink.interface} has no IPv4 address yet`;
  if (!routed && !found.pointToPoint) {
    return `no default route by ${uplink.interface} is known: give this uplink its "gateway" in box.yaml`;
  }
  return undefined;
}
