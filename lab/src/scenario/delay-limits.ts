import type { Step } from './scenario.ts';

/** Whether the step is judged by delays in milliseconds. Those that are held against direct transfers over the same lines are not: what is late is late for both. */
export function judgesDelays(step: Step): boolean {
  if (step.kind === 'call' || step.kind === 'mixed') return Object.keys(step.limits).length > 0;
  if (step.kind === 'download' || step.kind === 'upload' || step.kind === 'request')
    return step.limits.firstByteMsMax !== undefined || step.worst.firstByteMsMax !== undefined;
  return false;
}
