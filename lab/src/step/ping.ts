import { monotonicMs } from '@tresse/sys';

import { addresses, addresses6 } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import { type Check, limited, type PingFigures, truth } from '../report/report.ts';
import type { PingStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import { beginEvents } from './events-shown.ts';
import type { PlayedStep, StepScene } from './play-step.ts';
import { eventCheck } from './step-checks.ts';

/** Pings the internet host from the LAN host, and judges what was answered. Rejects only where the lab itself fails. */
export async function playPing(scene: StepScene, step: PingStep, index: number): Promise<PlayedStep> {
  const { stage, show } = scene;
  const label = step.name ?? step.kind;
  show.phase(label);
  const beganMs = performance.now();
  const meanwhile = await beginEvents(scene, step.events, String(index));
  const how = ['-n', '-c', String(step.count), '-i', String(step.every / 1_000), '-s', String(step.packet), '-W', '2'];
  const to = step.to === 'ipv6' ? addresses6.internetHost : addresses.internetHost;
  const child = new Child(stage.names.lan, ['ping', ...how, to]);
  meanwhile.events.progress(0, monotonicMs());
  let text = '';
  child.process.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await child.ended;
  await meanwhile.end();
  const ping = pingFigures(text, step.count, step.every);
  const { sent, received, rttMsMean } = ping;
  show.say(`${label}: ${received} of ${sent} answered, ${rttMsMean.toFixed(1)} ms`);
  const report = {
    ...blankReport('ping', step.name, (performance.now() - beganMs) / 1_000),
    events: meanwhile.happened,
    ping,
  };
  return { report, checks: [...pingChecks(step, ping, label), ...eventCheck(step.events.length, report, label)] };
}

/** What ping printed, of echoes so often (it has no other form of output than text); nothing received where it says nothing. */
export function pingFigures(text: string, sent: number, everyMs: number): PingFigures {
  const rtt = /= ([\d.]+)\/([\d.]+)\/([\d.]+)/u.exec(text);
  const answered = new Set(Array.from(text.matchAll(/icmp_seq=(\d+) ttl=\d+ time=/gu), ([, number]) => Number(number)));
  let inTurn = 0;
  let longest = 0;
  for (let number = 1; number <= sent; number++) {
    inTurn = answered.has(number) ? 0 : inTurn + 1;
    longest = Math.max(longest, inTurn);
  }
  return {
    sent,
    received: answered.size,
    rttMsMin: Number(rtt?.[1] ?? 0),
    rttMsMean: Number(rtt?.[2] ?? 0),
    rttMsMax: Number(rtt?.[3] ?? 0),
    unansweredMsMax: longest * everyMs,
  };
}

function pingChecks({ limits }: PingStep, ping: PingFigures, label: string): Check[] {
  const { sent, received, unansweredMsMax } = ping;
  return limits.unansweredMsMax === undefined
    ? [truth(`${label}: every echo answered`, received === sent, `${received} of ${sent}`)]
    : limited(`${label}: longest time without an answer in ms`, unansweredMsMax, 'max', limits.unansweredMsMax);
}
