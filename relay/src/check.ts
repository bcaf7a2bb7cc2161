import {
  kernelWishes,
  lockHolder,
  readConfiguration,
  readStateDirectory,
  requireIdentity,
  type StateReader,
} from '@tresse/daemon';
import {
  type Advice,
  adviseNeed,
  adviseRelay,
  adviseRelayFirewall,
  checkText,
  type InterfaceFact,
  problem,
  readDroppingChains,
  readGateways,
  readInterfaces,
  warning,
} from '@tresse/plan';
import { portName, type RelayConfig, relayConfig } from '@tresse/schema';
import { ip, listeningPorts, readRuleset } from '@tresse/sys';

import { publicAddresses } from './public-addresses.ts';
import { listedPorts, type ListedPort, readPublications } from './publication-list.ts';
import { readRegister } from './register.ts';

/** The first port that needs no rights. */
const freePortFirst = 1024;

/**
 * `tresse relay check`: what the configuration means on this machine, as text, and whether a relay could do its work by it.
 * Changes nothing, works beside a running relay, needs no root. Throws UserErrors of a configuration that is refused.
 */
export async function checkRelay(options: {
  state: string;
  config: string;
}): Promise<{ text: string; isFine: boolean }> {
  const config: RelayConfig = readConfiguration(options.config, relayConfig, 'tresse relay init');
  const directory = readStateDirectory(options.state);
  const running = lockHolder(directory);
  const [addresses, ways4, ways6] = await Promise.all([
    ip('addr', 'show'),
    ip('-4', 'route', 'show', 'default'),
    // A kernel without IPv6 refuses to answer.
    ip('-6', 'route', 'show', 'default').catch(() => []),
  ]);
  const gateways = [...readGateways(ways4, 4), ...readGateways(ways6, 6)];
  const facts = { interfaces: readInterfaces(addresses), gateways };
  const guests = guestsOf(config, directory);
  const advice = [
    ...adviseRelay(config, facts),
    ...adviseNeed(() => requireIdentity(directory, 'tresse relay init')),
    ...advisePort(config.listen.port, running),
    ...adviseRelayFirewall(readDroppingChains(await readRuleset()), config.listen.port, config.tunnel, guests.ports),
    ...guests.advice,
    ...guests.ports.flatMap((one) => advisePublished(one, running)),
    ...adviseRoutes(config, guests.names),
    ...advisePublic(config, facts.interfaces),
    ...kernelWishes().map((sentence) => warning(sentence)),
  ];
  const text = checkText({
    file: options.config,
    facts: [
      `listens on ${config.tunnel ? 'TCP and UDP' : 'TCP'} port ${config.listen.port} of ${config.listen.addresses.join(', ')}: it must be open in every firewall before this machine`,
      `boxes: ${guests.names.join(', ') || 'none yet: let one in by "tresse relay pair"'}`,
      ...guests.ports.map((one) => {
        return `publishes ${portName(one.protocol, one.port)}: ${one.to.join(', ')} of ${one.box}`;
      }),
    ],
    advice,
    changes: [
      (running === undefined ? '' : `A relay runs with this state directory (process ${running}). `) +
        "Nothing would change in this machine's network: a relay only opens its port.",
    ],
  });
  return { text, isFine: advice.every((one) => one.severity !== 'problem') };
}

interface Guests {
  readonly names: readonly string[];
  readonly ports: readonly ListedPort[];
  readonly advice: readonly Advice[];
}

/** Who may come in, and to whose LANs ports lead. */
function guestsOf(config: RelayConfig, directory: StateReader): Guests {
  const boxes: { name: string; pin: string }[] = [];
  const ports: ListedPort[] = [];
  const advice = adviseNeed(() => {
    boxes.push(...config.boxes, ...readRegister(directory).boxes);
    const names = {
      pinOf: (name: string) => boxes.find((box) => box.name === name)?.pin,
      nameOf: (pin: string) => boxes.find((box) => box.pin === pin)?.name ?? pin,
    };
    ports.push(...listedPorts(config, readPublications(directory).ports, names));
  });
  return { names: boxes.map((box) => box.name), ports, advice };
}

/** Routes that cannot hold. */
function adviseRoutes({ routes, tunnel }: RelayConfig, names: readonly string[]): Advice[] {
  const lone = routes.filter(({ box }) => !names.includes(box));
  return [
    ...lone.map(({ box }) => warning(`a route leads to nobody: no box is called "${box}"`)),
    ...(routes.length > 0 && !tunnel
      ? [warning('without the tunnel ("tunnel: false") routes are for TCP from the LAN alone')]
      : []),
  ];
}

function advisePublished({ protocol, port, box, pin }: ListedPort, running: number | undefined): Advice[] {
  const name = portName(protocol, port);
  if (pin === undefined) return [warning(`${name} leads to nobody: no box is called "${box}"`)];
  if (protocol === 'udp' || running !== undefined || !listeningPorts().includes(port)) return [];
  return [problem(`${name} is to be published and in use by another program`)];
}

/** Where pairing codes would send boxes. */
function advisePublic(config: RelayConfig, interfaces: readonly InterfaceFact[]): Advice[] {
  if (config.public !== undefined || publicAddresses(interfaces).length > 0) return [];
  return [warning('this machine has no public address: pairing codes need one in relay.yaml ("public: [ADDRESS]")')];
}

function advisePort(port: number, running: number | undefined): Advice[] {
  const needsRoot = port < freePortFirst && process.getuid?.() !== 0;
  return [
    ...(needsRoot ? [warning(`TCP port ${port} can only be opened by root`)] : []),
    ...(running === undefined && listeningPorts().includes(port)
      ? [problem(`TCP port ${port} is in use: does another relay run?`)]
      : []),
  ];
}
