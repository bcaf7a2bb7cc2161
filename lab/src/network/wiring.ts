import type { LineSpec } from '../scenario/scenario.ts';
import {
  addresses,
  addresses6,
  farHostCount,
  farHostOf,
  type LabNames,
  lanHostOf,
  lineAddresses,
  lineAddresses6,
  nicOf,
} from './addresses.ts';
import { operatorRules, proxyRoutes } from './operator-rules.ts';

/** What is fed to `ip -batch` and `nft -f` to make the lab's internet; pure, so that it can be read and tested as text. */
export interface Wiring {
  /** Names of all namespaces. */
  readonly netns: string[];
  /** `ip -batch` in the initial namespace, once the namespaces are there: the wires between them. */
  readonly wires: string[];
  /** Where the box's end of each line is made, in the lines' order. */
  readonly boxEnds: { netns: string; ifname: string }[];
  /** `ip -batch` per namespace, once the emulated lines are there too. */
  readonly hosts: { netns: string; batch: string[] }[];
  /** Namespaces that pass packets on. */
  readonly routers: string[];
  /** `nft -f` per namespace. */
  readonly nft: { netns: string; text: string }[];
}

/** Name of an operator's interface towards the subscriber. */
export const accessInterface = 'access';
/** The two ends of the emulated wire to the far host, in the core and at the internet host. */
export const farInterfaces = { core: 'far', inet: 'far0' } as const;
/** The internet host answers from its far addresses by this table. */
const farTable = 100;

function wire(a: string, aName: string, b: string, bName: string): string {
  return `link add ${aName} netns ${a} type veth peer name ${bName} netns ${b}`;
}

function host(netns: string, batch: string[]): Wiring['hosts'][number] {
  return { netns, batch: ['link set lo up', ...batch] };
}

/** An interface with its addresses, up. IPv6 addresses are used at once: nobody else can have them. */
function up(device: string, ...cidrs: string[]): string[] {
  const add = (cidr: string): string => `address add ${cidr} dev ${device}${cidr.includes(':') ? ' nodad' : ''}`;
  return [...cidrs.map((cidr) => add(cidr)), `link set ${device} up`];
}

/** One line's operator, and what the box has of it. */
interface Operator {
  readonly line: LineSpec;
  readonly netns: string;
  readonly at: ReturnType<typeof lineAddresses>;
  readonly at6: ReturnType<typeof lineAddresses>;
}

/** The internet for these lines; `onRoute` is put behind the end hosts' routes, `far`: the internet host has far addresses too. The line with the highest rate has the preferred default route, as its user would set it. */
export function wiringOf(names: LabNames, lines: readonly LineSpec[], onRoute: string, far = false): Wiring {
  const operators = lines.map((line, i): Operator => ({
    line,
    netns: names.operator(line.name),
    at: lineAddresses(lines, i),
    at6: lineAddresses6(i),
  }));
  const shared = [...new Set(lines.flatMap((line) => line.nic ?? []))];
  const switches = shared.map((nic) => names.switch(nic));
  const netns = [
    names.lan,
    names.box,
    names.core,
    names.relay,
    names.inet,
    ...operators.map((o) => o.netns),
    ...switches,
  ];
  return {
    netns,
    wires: [
      wire(names.lan, 'eth0', names.box, 'lan0'),
      wire(names.relay, 'eth0', names.core, 'relay'),
      wire(names.inet, 'eth0', names.core, 'inet'),
      ...operators.map((o) => wire(o.netns, 'core', names.core, `op-${o.line.name}`)),
      ...shared.map((nic) => wire(names.switch(nic), 'nic', names.box, nic)),
    ],
    boxEnds: lines.map((line) => ({
      netns: shared.includes(nicOf(line)) ? names.switch(nicOf(line)) : names.box,
      ifname: line.name,
    })),
    hosts: [
      ...ends(names, operators, onRoute, far),
      ...operators.map((o) => host(o.netns, operatorBatch(o))),
      ...shared.map((nic) => host(names.switch(nic), switchBatch(lines, nic))),
    ],
    routers: [names.core, ...operators.map((o) => o.netns)],
    nft: operators.map((o) => ({ netns: o.netns, text: operatorRules(o.line, accessInterface) })),
  };
}

/** LAN host, box, core, relay and internet host. */
function ends(names: LabNames, operators: readonly Operator[], onRoute: string, far: boolean): Wiring['hosts'] {
  const with6 = operators.some((o) => o.line.ipv6);
  const six = (...batch: string[]): string[] => (with6 ? batch : []);
  const byRate = operators.toSorted((a, b) => b.line.down.rateBps - a.line.down.rateBps);
  const nics = [...new Set(operators.map((o) => nicOf(o.line)))];
  const onNic = (nic: string): string[] =>
    operators.flatMap((o) => {
      if (nicOf(o.line) !== nic) return [];
      return o.line.ipv6 ? [`${o.at.box}/24`, `${o.at6.box}/64`] : [`${o.at.box}/24`];
    });
  return [
    host(names.lan, [
      ...up('eth0', `${addresses.lanHost}/24`, ...operators.map((_, i) => `${lanHostOf(i)}/24`)),
      `route add default via ${addresses.boxLan} src ${addresses.lanHost}${onRoute}`,
      ...six(...up('eth0', `${addresses6.lanHost}/64`), `route add default via ${addresses6.boxLan}${onRoute}`),
    ]),
    host(names.box, [
      ...up('lan0', `${addresses.boxLan}/24`, ...six(`${addresses6.boxLan}/64`)),
      ...nics.flatMap((nic) => up(nic, ...onNic(nic))),
      ...operators.flatMap((o) => (o.line.mtu === undefined ? [] : [`link set ${o.line.name} mtu ${o.line.mtu}`])),
      ...operators.flatMap((o) => {
        const metric = 100 + byRate.indexOf(o);
        const route = (via: string): string => `route add default via ${via} dev ${nicOf(o.line)} metric ${metric}`;
        return [
          ...(o.line.ipv6 === 'only' ? [] : [route(o.at.gateway)]),
          ...(o.line.ipv6 ? [route(o.at6.gateway)] : []),
        ];
      }),
    ]),
    host(names.core, [
      ...up('relay', `${addresses.relayGateway}/24`, ...six(`${addresses6.relayGateway}/64`)),
      ...up('inet', `${addresses.internetGateway}/24`, ...six(`${addresses6.internetGateway}/64`)),
      ...(far ? up(farInterfaces.core, `${addresses.farGateway}/24`) : []),
      ...operators.flatMap((o) => [
        ...up(`op-${o.line.name}`, `${o.at.core}/24`),
        ...(o.line.ipv6
          ? [
              ...up(`op-${o.line.name}`, `${o.at6.core}/64`),
              `route add ${o.at6.box.replace(/2$/u, '')}/64 via ${o.at6.public}`,
            ]
          : []),
      ]),
    ]),
    host(names.relay, [
      ...up('eth0', `${addresses.relay}/24`, ...six(`${addresses6.relay}/64`)),
      `route add default via ${addresses.relayGateway}`,
      // Strands come from the lines, wherever else the relay can reach.
      ...six(`route add ${addresses6.lines} via ${addresses6.relayGateway}`, relayEgress6('add')),
    ]),
    host(names.inet, [
      ...up('eth0', `${addresses.internetHost}/24`, ...six(`${addresses6.internetHost}/64`)),
      `route add default via ${addresses.internetGateway}${onRoute}`,
      ...six(`route add default via ${addresses6.internetGateway}${onRoute}`),
      ...(far ? farBatch(onRoute) : []),
    ]),
  ];
}

/** What the internet host answers from a far address leaves by the far wire. */
function farBatch(onRoute: string): string[] {
  const hosts = Array.from({ length: farHostCount }, (_, i) => farHostOf(i));
  return [
    ...up(farInterfaces.inet, ...hosts.map((address) => `${address}/24`)),
    ...hosts.map((address) => `rule add from ${address} lookup ${farTable}`),
    `route add default via ${addresses.farGateway} dev ${farInterfaces.inet} table ${farTable}${onRoute}`,
  ];
}

/** For `nft -f` in the core: no packet comes to the relay or from it, and nobody is told. */
export const relayGone = `table inet relay_gone {
  chain pass {
    type filter hook forward priority filter; policy accept;
    iifname "relay" drop
    oifname "relay" drop
  }
}`;

/** Takes {@link relayGone} away. */
export const relayBack = 'delete table inet relay_gone';

/** The relay's way into the IPv6 internet, for `ip -batch`. */
export function relayEgress6(verb: 'add' | 'delete'): string {
  return `route ${verb} default via ${addresses6.relayGateway}`;
}

function operatorBatch({ line, at, at6 }: Operator): string[] {
  return [
    ...up('core', `${at.public}/24`),
    ...up(accessInterface, `${at.gateway}/24`),
    ...(line.mtu === undefined ? [] : [`link set ${accessInterface} mtu ${line.mtu}`]),
    `route add default via ${at.core}`,
    ...(line.ipv6
      ? [
          ...up('core', `${at6.public}/64`),
          ...up(accessInterface, `${at6.gateway}/64`),
          `route add default via ${at6.core}`,
        ]
      : []),
    ...(line.proxy ? proxyRoutes : []),
  ];
}

/** All that is plugged into the switch. */
function switchBatch(lines: readonly LineSpec[], nic: string): string[] {
  const ports = ['nic', ...lines.filter((line) => nicOf(line) === nic).map((line) => line.name)];
  return [
    'link add br0 type bridge',
    ...ports.flatMap((port) => [`link set ${port} master br0`, `link set ${port} up`]),
    'link set br0 up',
  ];
}
