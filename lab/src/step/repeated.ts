import { BugError } from '@tresse/kit';

import { medianChecks, medianStep } from '../report/median.ts';
import type { Check, StepReport } from '../report/report.ts';

/** One of several plays of a step: what it was judged by, and the limits that even the worst play has to keep. */
export interface Play {
  readonly report: StepReport;
  readonly checks: readonly Check[];
  readonly worst: readonly Check[];
}

/** Several plays of the same step as one: figures are medians and judged as such, truths hold in every play, and the worst play keeps its own limits. */
export function asOne(plays: readonly Play[]): { report: StepReport; checks: Check[] } {
  const [first] = plays;
  if (first === undefined) throw new BugError('NO_PLAYS', 'a step is played once at least');
  const each = plays.map((play) => play.report);
  return {
    report: { ...medianStep(first.report, each), plays: each },
    checks: [
      ...medianChecks(plays.map((play) => play.checks)),
      ...first.worst.map((one, i) =>
        worstOf(
          plays.flatMap((play) => play.worst[i] ?? []),
          one,
        ),
      ),
    ],
  };
}

function worstOf(same: readonly Check[], first: Check): Check {
  const values = same.map((one) => one.value);
  const known = values.flatMap((value) => value ?? []);
  const value = known.length < values.length ? null : first.bound === 'min' ? Math.min(...known) : Math.max(...known);
  const ok = same.every((one) => one.ok);
  return { ...first, name: `${first.name}, worst of ${same.length}`, value, ok };
}
