/** Packets through a tunnel between two hosts, both ends pinned to one core: ours against the tunnels Debian has. */
import { SystemError } from '@tresse/kit';
import { run } from '@tresse/sys';

import { byTurns, inTurn, median } from './contest.ts';
import { iperf } from './iperf.ts';
import { cores, Pinned } from './pinned.ts';
import { at, netns, onStage } from './stage.ts';
import { printTable, ratio, say, shown } from './table.ts';
import { startOpenvpn, startTresse, startWireguard, stopTunnel, type Tunnel } from './tunnel.ts';

const port = '5202';
const seconds = 3;
const rounds = 3;
/** Before what counts, each direction: code that has not run yet is compiled meanwhile. */
const warmUpSeconds = 4;
const udpSeconds = 2;
/** Of whole packets; headers of IPv4 and UDP are 28 bytes of them. */
const udpSizes: readonly number[] = [1_400, 200];
const udpHeaders = 28;
const pings = 300;
/** As the rivals of the stream lane: bbr paces itself. */
const sourceControl = 'cubic';

interface Measured {
  /** Gbit/s, or packets a second. */
  readonly rate: number;
  /** Processor seconds of both ends. */
  readonly cpuS: number;
  /** What was carried: Gbit, or packets. */
  readonly carried: number;
}

async function costing(tunnel: Tunnel, work: () => Promise<Omit<Measured, 'cpuS'>>): Promise<Measured> {
  const cpu = (): number => tunnel.processes.reduce((sum, process) => sum + process.cpuS(), 0);
  const before = cpu();
  const done = await work();
  return { ...done, cpuS: cpu() - before };
}

const towards = (tunnel: Tunnel): string[] => ['-B', tunnel.from, '-c', tunnel.to, '-p', port];

async function transfer(tunnel: Tunnel, back: boolean, forSeconds = seconds): Promise<Measured> {
  return await costing(tunnel, async () => {
    const how = ['-C', sourceControl, ...(back ? ['-R'] : [])];
    const { sum_received: sum } = await iperf(tunnel.name, netns.box, forSeconds, ...towards(tunnel), ...how);
    if (!sum) throw new SystemError('BENCH', `iperf3, ${tunnel.name}: no figures`);
    const carried = (sum.bytes * 8) / 1e9;
    return { rate: carried / sum.seconds, carried };
  });
}

/** As many packets as the source can make: what is not carried is lost. */
async function flood(tunnel: Tunnel, packetBytes: number): Promise<Measured> {
  return await costing(tunnel, async () => {
    const how = ['-u', '-b', '0', '-l', String(packetBytes - udpHeaders)];
    const { sum } = await iperf(tunnel.name, netns.box, udpSeconds, ...towards(tunnel), ...how);
    if (!sum) throw new SystemError('BENCH', `iperf3, ${tunnel.name}: no figures`);
    const carried = sum.packets - sum.lost_packets;
    return { rate: carried / sum.seconds, carried };
  });
}

/** Median round trip of pings, ms. */
async function roundTripMs(from: string, to: string): Promise<number> {
  const argv = ['ping', '-c', String(pings), '-i', '0.005', '-I', from, to];
  const words = await run(argv, { netns: netns.box, timeoutMs: 20_000 });
  return median([...words.matchAll(/time=([\d.]+) ms/gu)].map((found) => Number(found[1])));
}

async function compare(
  title: string,
  unit: string,
  cost: (median: Measured) => number,
  costUnit: string,
  tunnels: readonly Tunnel[],
  work: (tunnel: Tunnel) => Promise<Measured>,
): Promise<void> {
  const results = await byTurns(
    tunnels.map((tunnel) => () => work(tunnel)),
    rounds,
  );
  const rows = results.map((own) => ({ rate: median(own.map((m) => m.rate)), cost: median(own.map(cost)) }));
  const [own = { rate: Number.NaN, cost: Number.NaN }] = rows;
  printTable(
    `${title}, ${rounds} rounds by turns`,
    ['', unit, costUnit, 'Tresse is', 'at CPU of'],
    tunnels.map(({ name }, i) => {
      const { rate, cost: costs } = rows[i] ?? own;
      return [name, shown(rate), shown(costs), ratio(own.rate, rate), ratio(own.cost, costs)];
    }),
  );
}

async function latency(tunnels: readonly Tunnel[]): Promise<void> {
  const ways = [{ name: 'direct, without a tunnel', from: at.boxLine, to: at.relayLine }, ...tunnels];
  const results = await byTurns(
    ways.map(
      ({ from, to }) =>
        () =>
          roundTripMs(from, to),
    ),
    rounds,
  );
  const [direct = Number.NaN, ...medians] = results.map((own) => median(own));
  printTable(
    `Delay added to a packet, one way, while nothing else is on its way (half of what ${pings} pings take longer)`,
    ['', 'us'],
    tunnels.map(({ name }, i) => [name, shown((((medians[i] ?? Number.NaN) - direct) / 2) * 1_000)]),
  );
}

/** Those that could be had, ours the first; says why others could not. */
async function startAll(folder: string, tunnels: Tunnel[]): Promise<void> {
  tunnels.push(await startTresse(folder));
  await inTurn(
    [
      ['wireguard-go', startWireguard],
      ['openvpn', startOpenvpn],
    ] as const,
    async ([name, start]) => {
      try {
        tunnels.push(await start(folder));
      } catch (error) {
        say(`${name}: -  (${error instanceof Error ? error.message : String(error)})`);
      }
    },
  );
}

/** Runs and prints it. Throws CommandError, SystemError `BENCH` where the stage or our own ends fail. */
export async function packetLane(): Promise<void> {
  await onStage(async (folder) => {
    const server = new Pinned(['iperf3', '-s', '-p', port], { netns: netns.relay, core: cores.load });
    const tunnels: Tunnel[] = [];
    try {
      await startAll(folder, tunnels);
      await inTurn(tunnels, async (tunnel) => {
        await transfer(tunnel, false, warmUpSeconds);
        await transfer(tunnel, true, warmUpSeconds);
      });
      const perGbit = ({ cpuS, carried }: Measured): number => cpuS / carried;
      const perPacket = ({ cpuS, carried }: Measured): number => (cpuS * 1e6) / carried;
      await inTurn([false, true], async (back) => {
        const title = `Packet lane, TCP through it, ${back ? 'relay to box' : 'box to relay'} (one connection, ${seconds} s)`;
        await compare(title, 'Gbit/s', perGbit, 'CPU s/Gbit', tunnels, async (one) => await transfer(one, back));
      });
      await inTurn(udpSizes, async (size) => {
        const title = `Packet lane, UDP packets of ${size} bytes (${udpSeconds} s)`;
        await compare(title, 'packets/s', perPacket, 'CPU us/packet', tunnels, async (one) => await flood(one, size));
      });
      // Last: what has run is compiled by then.
      await latency(tunnels);
      say(
        `  both ends of each tunnel on core ${cores.measured}, iperf3 on core ${cores.load}; rivals as Debian has them`,
      );
    } finally {
      await Promise.all(tunnels.map(async (tunnel) => await stopTunnel(tunnel)));
      await server.stop();
    }
  });
}
