import type { Check, Report, StepReport } from './report.ts';

/** The middle value; the lower of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** The worst of the two middle ones decides: for a limit from below the lower, for one from above the higher. */
function judgedMedian(values: readonly number[], bound: Check['bound']): number {
  return bound === 'min' ? median(values) : -median(values.map((value) => -value));
}

/** One report over several runs: figures are medians, checks are judged by them, truths have to hold in every run. */
export function medianReport(runs: readonly Report[]): Report {
  const [first] = runs;
  if (first === undefined || runs.length === 1) return first as Report;
  const checks = medianChecks(runs.map((run) => run.checks));
  const whole = runs.every((run) => run.fault === undefined);
  const isVoid = runs.some((run) => run.verdict === 'void');
  const passed = whole && checks.every((c) => c.ok);
  return {
    ...first,
    steps: first.steps.map((step, i) =>
      medianStep(
        step,
        runs.flatMap((run) => run.steps[i] ?? []),
      ),
    ),
    checks,
    verdict: isVoid ? 'void' : passed ? 'pass' : 'fail',
    voids: runs.reduce((sum, run) => sum + run.voids, 0),
    runs: [...runs],
  };
}

/** The same checks of several runs, each judged by its median; a truth has to hold in every run, and no run may miss one. */
export function medianChecks(runs: readonly (readonly Check[])[]): Check[] {
  return (runs[0] ?? []).map((c) =>
    medianCheck(runs.map((run) => run.find((other) => other.name === c.name) ?? { ...c, ok: false, value: null })),
  );
}

function medianCheck(same: readonly Check[]): Check {
  const [first] = same;
  const missing = same.find((c) => c.value === null);
  const failed = same.find((c) => !c.ok);
  if (first === undefined || missing || (first.truth && failed)) return (missing ?? failed ?? first) as Check;
  const value = judgedMedian(
    same.map((c) => c.value ?? 0),
    first.bound,
  );
  return { ...first, value, ok: first.bound === 'min' ? value >= first.limit : value <= first.limit };
}

/** What only steps of one kind have. */
const figuresOfKind = ['daemons', 'mixed', 'pairs', 'flows', 'crowd', 'udp', 'call', 'probe', 'quic', 'visit'] as const;

/** Figures of one form, numbers as their medians: null where one is, and the first of what is no number. */
export function medianFigures<T>(same: readonly T[]): T {
  const [first] = same;
  if (same.includes(null as T)) return null as T;
  if (typeof first === 'number') return median(same as readonly number[]) as T;
  if (Array.isArray(first)) return first.map((_, i) => medianFigures(same.map((one) => (one as unknown[])[i]))) as T;
  if (typeof first !== 'object') return first as T;
  const keys = Object.keys(first as object) as (keyof T)[];
  return Object.fromEntries(keys.map((key) => [key, medianFigures(same.map((one) => one[key]))])) as T;
}

/** The same step of several runs, its figures as their medians. */
export function medianStep(step: StepReport, same: readonly StepReport[]): StepReport {
  const of = (pick: (one: StepReport) => number | null): number | null => {
    const values = same.map((one) => pick(one));
    return values.includes(null) ? null : median(values.map((value) => value ?? 0));
  };
  return {
    ...step,
    ...Object.assign(
      {},
      ...figuresOfKind.map((kind) => (step[kind] ? { [kind]: medianFigures(same.map((one) => one[kind])) } : {})),
    ),
    seconds: of((s) => s.seconds) ?? 0,
    goodputBitsPerSecond: of((s) => s.goodputBitsPerSecond),
    ofSum: of((s) => s.ofSum),
    ...(step.ofOffered === undefined ? {} : { ofOffered: of((s) => s.ofOffered ?? null) }),
    ofMptcp: of((s) => s.ofMptcp),
    slowestSecondOfSum: of((s) => s.slowestSecondOfSum),
    wholeSecondsOfMptcp: of((s) => s.wholeSecondsOfMptcp),
    firstByteMs: of((s) => s.firstByteMs) ?? 0,
    stallMsMax: of((s) => s.stallMsMax) ?? 0,
    returns: step.returns.map((back, i) => ({
      ...back,
      carryingAgainMs: of((s) => s.returns[i]?.carryingAgainMs ?? null),
      rateOfSingle: of((s) => s.returns[i]?.rateOfSingle ?? 0) ?? 0,
    })),
  };
}
