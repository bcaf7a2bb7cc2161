import type { LineSpec } from '../scenario/scenario.ts';
import { addresses, type LabNames, lanHostOf, lineAddresses } from './addresses.ts';

/** What is fed to `ip -batch` and `nft -f` to make the lab's internet; pure, so that it can be read and tested as text. */
export interface Wiring {
  /** Names of all namespaces. */
  readonly netns: string[];
  /** `ip -batch` in the initial namespace: namespaces and the wires between them. */
  readonly wires: string[];
  /** `ip -batch` per namespace, once the emulated lines are there too. */
  readonly hosts: { netns: string; batch: string[] }[];
  /** Namespaces that pass packets on. */
  readonly routers: string[];
  /** `nft -f` per namespace. */
  readonly nft: { netns: string; text: string }[];
}

/** Name of an operator's interface towards the subscriber. */
export const accessInterface = 'access';

/** An operator hides its subscribers behind one public address. */
const masquerade = `table ip operator {
  chain out {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "core" masquerade
  }
}`;

function wire(a: string, aName: string, b: string, bName: string): string {
  return `link add ${aName} netns ${a} type veth peer name ${bName} netns ${b}`;
}

function host(netns: string, batch: string[]): Wiring['hosts'][number] {
  return { netns, batch: ['link set lo up', ...batch] };
}

/** An interface with its addresses, up. */
function up(device: string, ...cidrs: string[]): string[] {
  return [...cidrs.map((cidr) => `address add ${cidr} dev ${device}`), `link set ${device} up`];
}

/** The internet for these lines; `onRoute` is put behind the end hosts' routes. The line with the highest rate has the preferred default route, as its user would set it. */
export function wiringOf(names: LabNames, lines: readonly LineSpec[], onRoute: string): Wiring {
  const operators = lines.map((line, i) => ({ line, netns: names.operator(line.name), at: lineAddresses(i) }));
  const byRate = operators.toSorted((a, b) => b.line.down.rateBps - a.line.down.rateBps);
  const netns = [names.lan, names.box, names.core, names.relay, names.inet, ...operators.map((o) => o.netns)];
  return {
    netns,
    wires: [
      ...netns.map((name) => `netns add ${name}`),
      wire(names.lan, 'eth0', names.box, 'lan0'),
      wire(names.relay, 'eth0', names.core, 'relay'),
      wire(names.inet, 'eth0', names.core, 'inet'),
      ...operators.map((o) => wire(o.netns, 'core', names.core, `op-${o.line.name}`)),
    ],
    hosts: [
      host(names.lan, [
        ...up('eth0', `${addresses.lanHost}/24`, ...lines.map((_, i) => `${lanHostOf(i)}/24`)),
        `route add default via ${addresses.boxLan} src ${addresses.lanHost}${onRoute}`,
      ]),
      host(names.box, [
        ...up('lan0', `${addresses.boxLan}/24`),
        ...operators.flatMap((o) => up(o.line.name, `${o.at.box}/24`)),
        ...operators.map(
          (o) => `route add default via ${o.at.gateway} dev ${o.line.name} metric ${100 + byRate.indexOf(o)}`,
        ),
      ]),
      ...operators.map((o) =>
        host(o.netns, [
          ...up('core', `${o.at.public}/24`),
          ...up(accessInterface, `${o.at.gateway}/24`),
          `route add default via ${o.at.core}`,
        ]),
      ),
      host(names.core, [
        ...up('relay', `${addresses.relayGateway}/24`),
        ...up('inet', `${addresses.internetGateway}/24`),
        ...operators.flatMap((o) => up(`op-${o.line.name}`, `${o.at.core}/24`)),
      ]),
      host(names.relay, [...up('eth0', `${addresses.relay}/24`), `route add default via ${addresses.relayGateway}`]),
      host(names.inet, [
        ...up('eth0', `${addresses.internetHost}/24`),
        `route add default via ${addresses.internetGateway}${onRoute}`,
      ]),
    ],
    routers: [names.core, ...operators.map((o) => o.netns)],
    nft: operators.map((o) => ({ netns: o.netns, text: masquerade })),
  };
}
