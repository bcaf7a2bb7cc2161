import type { StepReport } from '../report/report.ts';

/** The report of a step that carries nothing of its own. */
export function blankReport(kind: StepReport['kind'], name: string | undefined, seconds: number): StepReport {
  return {
    kind,
    name: name ?? kind,
    bytes: 0,
    seconds,
    goodputBitsPerSecond: null,
    ofSum: null,
    ofMptcp: null,
    slowestSecondOfSum: null,
    wholeSecondsOfMptcp: null,
    firstByteMs: 0,
    stallMsMax: 0,
    stallAtSeconds: 0,
    shares: [],
    events: [],
    phases: [],
    returns: [],
    sha256: '',
  };
}
