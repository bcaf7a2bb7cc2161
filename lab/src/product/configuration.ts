import { addresses, addresses6, lineAddresses, lineAddresses6, nicOf } from '../network/addresses.ts';
import type { LineSpec } from '../scenario/scenario.ts';

/** The relay's configuration: one box. JSON is YAML, so nothing has to be quoted by hand. */
export function relayYaml(boxPin: string): string {
  return JSON.stringify({ boxes: [{ name: 'lab', pin: boxPin }] }, null, 2);
}

/** The box's configuration: one uplink per line, and the relay. */
export function boxYaml(lines: readonly LineSpec[], relayPin: string): string {
  const shared = new Set(lines.flatMap((line) => line.nic ?? []));
  return JSON.stringify(
    {
      uplinks: lines.map((line, i) => ({
        name: line.name,
        interface: nicOf(line),
        gateway: withSix(line, lineAddresses(lines, i).gateway, lineAddresses6(i).gateway),
        // Lines on one interface are told apart by the box's address on each; a family without one is not used.
        ...(shared.has(nicOf(line)) || line.ipv6 === 'only'
          ? { address: withSix(line, lineAddresses(lines, i).box, lineAddresses6(i).box) }
          : {}),
        kind: line.kind,
      })),
      lan: { interfaces: ['lan0'] },
      relay: {
        addresses: [addresses.relay, ...(lines.some((line) => line.ipv6) ? [addresses6.relay] : [])],
        pin: relayPin,
      },
    },
    null,
    2,
  );
}

/** The address of each family that the box is to use. */
function withSix({ ipv6 }: LineSpec, four: string, six: string): string | string[] {
  if (ipv6 === 'only') return six;
  return ipv6 ? [four, six] : four;
}
