import { addresses, lineAddresses, nicOf } from '../network/addresses.ts';
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
        gateway: lineAddresses(lines, i).gateway,
        // Lines on one interface are told apart by the box's address on each.
        ...(shared.has(nicOf(line)) ? { address: lineAddresses(lines, i).box } : {}),
        kind: line.kind,
      })),
      lan: { interfaces: ['lan0'] },
      relay: { addresses: [addresses.relay], pin: relayPin },
    },
    null,
    2,
  );
}
