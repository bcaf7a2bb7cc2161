import { until } from '../process/in-turn.ts';
import { truth } from '../report/report.ts';
import type { StatusStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

const askEveryMs = 250;

/** Waits until the daemon's status says what it has to. */
export async function playStatus({ product, show }: StepScene, step: StatusStep): Promise<PlayedStep> {
  const label = step.name ?? `${step.kind} of the ${step.of}`;
  show.phase(label);
  const beganMs = performance.now();
  let text = '';
  const asSaid = await until(
    async () => {
      text = await product.statusText(step.of);
      return saysSo(step, text);
    },
    askEveryMs,
    step.within,
  );
  const seconds = (performance.now() - beganMs) / 1_000;
  show.say(`${label}: ${asSaid ? `said after ${seconds.toFixed(1)} s` : 'not said'}`);
  return {
    report: blankReport('status', label, seconds),
    checks: [truth(`${label}: says what it has to`, asSaid, text.trim().replaceAll('\n', ' / '))],
  };
}

/** Whether the text says all that it has to, and nothing that it must not. */
export function saysSo({ says, saysNot }: Pick<StatusStep, 'says' | 'saysNot'>, text: string): boolean {
  const found = (pattern: string): boolean => new RegExp(pattern, 'mu').test(text);
  return says.every(found) && !saysNot.some(found);
}
