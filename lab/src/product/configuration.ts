import { addresses, addresses6, lineAddresses, lineAddresses6, nicOf, ports } from '../network/addresses.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import type { PublishedSpec } from '../scenario/visit-step.ts';

/** The relay's configuration: one box, and what is published of its LAN host. JSON is YAML, so nothing has to be quoted by hand. */
export function relayYaml(boxPin: string, published: readonly PublishedSpec[], ipv6: boolean): string {
  const publish = published.map(({ port, protocol, from }) => {
    const own = protocol === 'tcp' ? ports.plain : ports.echo;
    const to = [`${addresses.lanHost}:${own}`, ...(ipv6 ? [`[${addresses6.lanHost}]:${own}`] : [])];
    return { port, protocol, box: 'lab', to, from };
  });
  return JSON.stringify({ boxes: [{ name: 'lab', pin: boxPin }], publish }, null, 2);
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
