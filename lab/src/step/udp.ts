import { SystemError } from '@tresse/kit';
import { z } from 'zod';

import { addresses, ports } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import { pause } from '../process/in-turn.ts';
import { type Check, check } from '../report/report.ts';
import type { UdpFigures } from '../report/udp-figures.ts';
import type { UdpStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

/** iperf3 as a server says nothing that could be waited for when its output is no terminal. */
const serverStartMs = 300;
/** What has not ended so long after its time has got stuck. */
const patienceMs = 15_000;

/** What is taken from iperf3's report. */
const iperfReport = z.object({
  end: z.object({
    sum: z.object({
      seconds: z.number().positive(),
      packets: z.number(),
      lost_packets: z.number(),
      jitter_ms: z.number(),
    }),
    streams: z.array(z.object({ udp: z.object({ out_of_order: z.number() }) })).min(1),
  }),
});

/** Sends the flow, and judges what came. Rejects with SystemError `IPERF` where it did not run. */
export async function playUdp(scene: StepScene, step: UdpStep): Promise<PlayedStep> {
  const label = step.name ?? `${step.kind} ${step.direction}`;
  scene.show.phase(label);
  const beganMs = performance.now();
  const sumBps = scene.rivals.sum[step.direction === 'down' ? 'downBitsPerSecond' : 'upBitsPerSecond'];
  const udp = await playFlow(scene, { ...step, rateBps: Math.round(sumBps * step.rateOfSum) });
  scene.show.say(`${label}: ${(udp.delivered * 100).toFixed(1)} % of ${udp.sent} packets came`);
  const report = { ...blankReport('udp', label, (performance.now() - beganMs) / 1_000), udp };
  return { report, checks: udpChecks(step, udp, label) };
}

/** One flow of packets. */
interface Flow extends Pick<UdpStep, 'direction' | 'packet' | 'time'> {
  readonly rateBps: number;
}

/** Sends a flow from one end to the other, and returns what came of it. Rejects with SystemError `IPERF` where it did not run. */
export async function playFlow({ stage }: StepScene, flow: Flow): Promise<UdpFigures> {
  const { names } = stage;
  const server = new Child(names.inet, ['iperf3', '-s', '-1', '-p', String(ports.iperf)]);
  await pause(serverStartMs);
  const to = ['-c', addresses.internetHost, '-p', String(ports.iperf)];
  const how = ['-b', String(flow.rateBps), '-l', String(flow.packet), '-t', String(flow.time / 1_000)];
  const reverse = flow.direction === 'down' ? ['-R'] : [];
  const client = new Child(names.lan, ['iperf3', '-J', '-u', ...to, ...how, ...reverse]);
  const stuck = setTimeout(() => client.process.kill('SIGKILL'), flow.time + patienceMs);
  let text = '';
  client.process.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await client.ended;
  clearTimeout(stuck);
  await server.stop(1_000);
  return udpFigures(text, flow.rateBps, flow.packet);
}

/** Throws SystemError `IPERF` where the text is no report of a flow. */
export function udpFigures(text: string, offeredBitsPerSecond: number, packetBytes: number): UdpFigures {
  const parsed = iperfReport.safeParse(jsonOf(text));
  if (!parsed.success) throw new SystemError('IPERF', `iperf3 told of no flow: ${text.trim().slice(-300)}`);
  const { sum, streams } = parsed.data.end;
  const came = sum.packets - sum.lost_packets;
  return {
    sent: sum.packets,
    delivered: sum.packets === 0 ? 0 : came / sum.packets,
    outOfOrder: came === 0 ? 0 : (streams[0]?.udp.out_of_order ?? 0) / came,
    offeredBitsPerSecond,
    goodputBitsPerSecond: (came * packetBytes * 8) / sum.seconds,
    jitterMs: sum.jitter_ms,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function udpChecks({ limits }: UdpStep, udp: UdpFigures, label: string): Check[] {
  const { deliveredMin, outOfOrderMax } = limits;
  return [
    ...(deliveredMin === undefined ? [] : [check(`${label}: share delivered`, udp.delivered, 'min', deliveredMin)]),
    ...(outOfOrderMax === undefined
      ? []
      : [check(`${label}: share out of order`, udp.outOfOrder, 'max', outOfOrderMax)]),
  ];
}
