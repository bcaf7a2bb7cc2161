import { SystemError } from '@tresse/kit';
import { monotonicMs } from '@tresse/sys';
import { z } from 'zod';

import { addresses, ports } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import { pause } from '../process/in-turn.ts';
import { type Check, limited } from '../report/report.ts';
import type { UdpFigures } from '../report/udp-figures.ts';
import type { UdpStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import { beginEvents } from './events-shown.ts';
import type { PlayedStep, StepScene } from './play-step.ts';
import { eventCheck } from './step-checks.ts';

/** iperf3 as a server says nothing that could be waited for when its output is no terminal. */
const serverStartMs = 300;
/** What has not ended so long after its time has got stuck. */
const patienceMs = 15_000;
/** A flow may take so long to settle after an event. */
const settleSeconds = 2;

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
  intervals: z
    .array(
      z.object({
        sum: z.object({
          start: z.number(),
          end: z.number(),
          packets: z.number().optional(),
          lost_packets: z.number().optional(),
        }),
      }),
    )
    .default([]),
});

/** Sends the flow, and judges what came. Rejects with SystemError `IPERF` where it did not run. */
export async function playUdp(scene: StepScene, step: UdpStep, index: number): Promise<PlayedStep> {
  const label = step.name ?? `${step.kind} ${step.direction}`;
  scene.show.phase(label);
  const beganMs = performance.now();
  const sumBps = scene.rivals.sum[step.direction === 'down' ? 'downBitsPerSecond' : 'upBitsPerSecond'];
  const meanwhile = await beginEvents(scene, step.events, String(index));
  const { text, rateBps } = await playFlow(scene, { ...step, rateBps: Math.round(sumBps * step.rateOfSum) }, () =>
    meanwhile.events.progress(0, monotonicMs()),
  );
  await meanwhile.end();
  const settledFrom = (meanwhile.happened.at(-1)?.atSeconds ?? 0) + settleSeconds;
  const udp = udpFigures(text, { rateBps, packet: step.packet, settledFrom });
  scene.show.say(`${label}: ${(udp.delivered * 100).toFixed(1)} % of ${udp.sent} packets came`);
  const report = {
    ...blankReport('udp', label, (performance.now() - beganMs) / 1_000),
    events: meanwhile.happened,
    udp,
  };
  return { report, checks: [...udpChecks(step, udp, label), ...eventCheck(step.events.length, report, label)] };
}

/** One flow of packets. */
interface Flow extends Pick<UdpStep, 'direction' | 'packet' | 'time'> {
  readonly rateBps: number;
}

/** Sends a flow from one end to the other, and returns iperf3's report of it: no JSON where it did not run. `onBegin` is called when the client is started. */
export async function playFlow(
  { stage }: StepScene,
  flow: Flow,
  onBegin: () => void = () => {},
): Promise<{ text: string; rateBps: number }> {
  const { names } = stage;
  const server = new Child(names.inet, ['iperf3', '-s', '-1', '-p', String(ports.iperf)]);
  await pause(serverStartMs);
  const to = ['-c', addresses.internetHost, '-p', String(ports.iperf)];
  const how = ['-b', String(flow.rateBps), '-l', String(flow.packet), '-t', String(flow.time / 1_000)];
  const reverse = flow.direction === 'down' ? ['-R'] : [];
  const client = new Child(names.lan, ['iperf3', '-J', '-u', ...to, ...how, ...reverse]);
  onBegin();
  const stuck = setTimeout(() => client.process.kill('SIGKILL'), flow.time + patienceMs);
  let text = '';
  client.process.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await client.ended;
  clearTimeout(stuck);
  await server.stop(1_000);
  return { text, rateBps: flow.rateBps };
}

/** What the report says of a flow of so many bits per second, in packets of so many bytes; `settledFrom` is the second from which on it has to have settled. Throws SystemError `IPERF` where the text is no report of a flow. */
export function udpFigures(
  text: string,
  { rateBps, packet, settledFrom }: { rateBps: number; packet: number; settledFrom: number },
): UdpFigures {
  const parsed = iperfReport.safeParse(jsonOf(text));
  if (!parsed.success) throw new SystemError('IPERF', `iperf3 told of no flow: ${text.trim().slice(-300)}`);
  const { end, intervals } = parsed.data;
  const { sum, streams } = end;
  const came = sum.packets - sum.lost_packets;
  return {
    sent: sum.packets,
    delivered: sum.packets === 0 ? 0 : came / sum.packets,
    outOfOrder: came === 0 ? 0 : (streams[0]?.udp.out_of_order ?? 0) / came,
    offeredBitsPerSecond: rateBps,
    goodputBitsPerSecond: (came * packet * 8) / sum.seconds,
    jitterMs: sum.jitter_ms,
    settled: settledShare(intervals, settledFrom),
  };
}

type Interval = z.output<typeof iperfReport>['intervals'][number];

/** Of the packets of whole seconds from then on, the share that came; null where there is no such second. */
function settledShare(intervals: readonly Interval[], fromSeconds: number): number | null {
  const settled = intervals.filter(({ sum }) => sum.start >= fromSeconds && sum.end - sum.start > 0.9);
  const packets = settled.reduce((total, { sum }) => total + (sum.packets ?? 0), 0);
  const lost = settled.reduce((total, { sum }) => total + (sum.lost_packets ?? 0), 0);
  // A second in which nothing came tells of no packets.
  const silent = settled.some(({ sum }) => (sum.packets ?? 0) === 0);
  return packets === 0 || silent ? (settled.length === 0 ? null : 0) : (packets - lost) / packets;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function udpChecks({ limits }: UdpStep, udp: UdpFigures, label: string): Check[] {
  return [
    ...limited(`${label}: share delivered`, udp.delivered, 'min', limits.deliveredMin),
    ...limited(`${label}: share out of order`, udp.outOfOrder, 'max', limits.outOfOrderMax),
    ...limited(`${label}: share delivered once settled`, udp.settled, 'min', limits.settledMin),
  ];
}
