/** One TCP transfer through box and relay, both pinned to one core, against plain TCP and against shadowsocks-libev. */
import { SystemError } from '@tresse/kit';

import { byTurns, inTurn, median } from './contest.ts';
import { iperf } from './iperf.ts';
import { cores, Pinned } from './pinned.ts';
import { type Product, startProduct, stopProduct } from './product.ts';
import { rivalPort, rivalSettings, startRival } from './rival.ts';
import { at, netns, onStage } from './stage.ts';
import { printTable, ratio, say, shown } from './table.ts';

const port = 5201;
const seconds = 3;
const rounds = 5;
/** Before what counts, each direction of each: code that has not run yet is compiled meanwhile. */
const warmUpSeconds = 8;
/** Congestion control of the source, whatever the machine's default is: bbr paces itself, and idles where it need not. */
const sourceControl = 'cubic';

interface Measured {
  readonly gbps: number;
  /** Processor seconds of the contestant's own processes per Gbit carried. */
  readonly cpuPerGbit: number;
}

interface Contestant {
  readonly name: string;
  readonly processes: readonly Pinned[];
  /** Where the client binds and connects. */
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

async function transfer(contestant: Contestant, down: boolean, forSeconds = seconds): Promise<Measured> {
  const cpu = (): number => contestant.processes.reduce((sum, p) => sum + p.cpuS(), 0);
  const before = cpu();
  const argv = ['-B', contestant.from, '-c', contestant.to, '-p', String(contestant.port), '-C', sourceControl];
  if (down) argv.push('-R');
  const { sum_received: received } = await iperf(contestant.name, netns.lan, forSeconds, ...argv);
  if (!received) throw new SystemError('BENCH', `iperf3, ${contestant.name}: no figures`);
  const gbit = (received.bytes * 8) / 1e9;
  return { gbps: gbit / received.seconds, cpuPerGbit: (cpu() - before) / gbit };
}

async function compare(contestants: readonly Contestant[], down: boolean): Promise<void> {
  const results = await byTurns(
    contestants.map((contestant) => () => transfer(contestant, down)),
    rounds,
  );
  const medians = results.map((own) => ({
    gbps: median(own.map((m) => m.gbps)),
    cpu: median(own.map((m) => m.cpuPerGbit)),
  }));
  const own = medians[0] ?? { gbps: Number.NaN, cpu: Number.NaN };
  printTable(
    `Stream lane, ${down ? 'download' : 'upload'} (one connection, ${rounds} rounds of ${seconds} s by turns)`,
    ['', 'Gbit/s', 'CPU s/Gbit', 'Tresse is', 'at CPU of'],
    contestants.map(({ name, processes }, i) => {
      const { gbps, cpu } = medians[i] ?? own;
      const costs = processes.length > 0;
      return [name, shown(gbps), costs ? shown(cpu) : '-', ratio(own.gbps, gbps), costs ? ratio(own.cpu, cpu) : '-'];
    }),
  );
}

/** Runs and prints it. Throws CommandError, SystemError `BENCH` where the stage or the daemons fail. */
export async function streamLane(): Promise<void> {
  await onStage(async (folder) => {
    const server = new Pinned(['iperf3', '-s', '-p', String(port)], { netns: netns.inet, core: cores.load });
    let product: Product | undefined;
    const rival = await startRival(port);
    try {
      product = await startProduct(folder);
      const contestants: Contestant[] = [
        { name: 'Tresse', processes: [product.box, product.relay], from: at.lan, to: at.inet, port },
        { name: 'plain TCP, same hops', processes: [], from: at.lanPlain, to: at.inet, port },
      ];
      if (typeof rival === 'string') say(`shadowsocks-libev: -  (${rival})`);
      else {
        const processes = [rival.near, rival.far];
        contestants.push({ name: 'shadowsocks-libev', processes, from: at.lanPlain, to: at.boxPlain, port: rivalPort });
      }
      const warmUps = contestants.flatMap((one) => [true, false].map((down) => [one, down] as const));
      await inTurn(warmUps, ([one, down]) => transfer(one, down, warmUpSeconds));
      await compare(contestants, true);
      await compare(contestants, false);
      say(`  box and relay on core ${cores.measured}, iperf3 on core ${cores.load}; rival: ${rivalSettings}`);
    } finally {
      if (product) await stopProduct(product);
      if (typeof rival !== 'string') await Promise.all([rival.near.stop(), rival.far.stop()]);
      await server.stop();
    }
  });
}
