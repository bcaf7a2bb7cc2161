import { addresses } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import type { PingFigures, StepReport } from '../report/report.ts';
import type { PingStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';

const everySeconds = '0.2';

/** Pings the internet host from the LAN host. Returns the step's report; what does not answer is in it. */
export async function pingStepReport(netns: string, step: PingStep): Promise<StepReport> {
  const beganMs = performance.now();
  const options = ['-n', '-q', '-c', String(step.count), '-i', everySeconds, '-W', '2'];
  const child = new Child(netns, ['ping', ...options, addresses.internetHost]);
  let text = '';
  child.process.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await child.ended;
  return {
    ...blankReport('ping', step.name, (performance.now() - beganMs) / 1_000),
    ping: pingFigures(text, step.count),
  };
}

/** The summary which ping prints; nothing received where there is none (it has no other form of output than text). */
export function pingFigures(text: string, sent: number): PingFigures {
  const received = /(\d+) received/u.exec(text)?.[1];
  const rtt = /= ([\d.]+)\/([\d.]+)\/([\d.]+)/u.exec(text);
  return {
    sent,
    received: Number(received ?? 0),
    rttMsMin: Number(rtt?.[1] ?? 0),
    rttMsMean: Number(rtt?.[2] ?? 0),
    rttMsMax: Number(rtt?.[3] ?? 0),
  };
}
