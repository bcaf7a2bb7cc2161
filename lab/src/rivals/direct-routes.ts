import { run, writeSysctl } from '@tresse/sys';

import { internetNetworks, lanHostOf, lineAddresses, nicOf } from '../network/addresses.ts';
import { ipBatch } from '../network/internet.ts';
import type { Stage } from '../stage.ts';

/** First of the routing tables, and of the rules' priorities, that the rivals use in the box while Tresse is not there. */
const tableFirst = 901;
const priorityFirst = 901;

/** The table and the rules of one line while Tresse is there; before Tresse's own. */
const besideTresse = 900;

/**
 * Lets what the box itself sends from its address on the line to the internet host leave by this line, as ordinary traffic, while Tresse
 * runs: nothing that Tresse sends goes there. With `whole` it holds for clients of the box that choose no address, too. Returns what undoes it.
 */
export async function openDirectRoute(
  { names, lines, internet }: Stage,
  line: number,
  whole = false,
): Promise<() => Promise<void>> {
  const at = lineAddresses(lines, line);
  const whose = whole ? 'iif lo' : `from ${at.box}`;
  const rules = (verb: 'add' | 'delete'): string[] =>
    internetNetworks.map((to) => `rule ${verb} priority ${besideTresse} ${whose} to ${to} lookup ${besideTresse}`);
  const route = `default via ${at.gateway} dev ${nicOf(lines[line])} src ${at.box} table ${besideTresse}`;
  await ipBatch(names.box, [`route add ${route}${internet.congestion.onRoute}`, ...rules('add')]);
  return async () => await ipBatch(names.box, [...rules('delete'), `route flush table ${besideTresse}`]);
}

/**
 * Makes the box an ordinary router with a table per uplink: what comes from the LAN host's address of a line, or from the box's
 * own address on it, leaves by this line. Returns what undoes it.
 */
export async function openDirectRoutes({ names, lines, internet }: Stage): Promise<() => Promise<void>> {
  const each = (make: (nic: string, at: ReturnType<typeof lineAddresses>, i: number) => string[]): string[] =>
    lines.flatMap((line, i) => make(nicOf(line), lineAddresses(lines, i), i));
  const rules = (verb: 'add' | 'delete'): string[] =>
    each((_, at, i) =>
      [lanHostOf(i), at.box].map(
        (from) => `rule ${verb} priority ${priorityFirst + i} from ${from} lookup ${tableFirst + i}`,
      ),
    );
  await ipBatch(names.box, [
    ...each((nic, at, i) => [
      `route add default via ${at.gateway} dev ${nic} table ${tableFirst + i}${internet.congestion.onRoute}`,
    ]),
    ...rules('add'),
  ]);
  const nft = { timeoutMs: 10_000, netns: names.box };
  const masquerade = `table ip lab {
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    ${each((nic, at, i) => [`oifname ${nic} ip saddr ${lanHostOf(i)} snat to ${at.box}`]).join('\n    ')}
  }
}
`;
  await run(['nft', '-f', '-'], { ...nft, input: masquerade });
  writeSysctl('net.ipv4.ip_forward', 1, names.box);
  return async () => {
    writeSysctl('net.ipv4.ip_forward', 0, names.box);
    await run(['nft', 'delete', 'table', 'ip', 'lab'], nft);
    await ipBatch(names.box, [...rules('delete'), ...each((_, __, i) => [`route flush table ${tableFirst + i}`])]);
  };
}
