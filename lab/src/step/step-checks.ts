import { addresses } from '../network/addresses.ts';
import { type Check, check, truth } from '../report/report.ts';
import type { TransferStep } from '../scenario/scenario.ts';
import type { StepOutcome } from './step.ts';

/** Everything the step had to hold; `expectedSha256` is that of the bytes asked for, `label` begins every name. */
export function stepChecks(step: TransferStep, outcome: StepOutcome, expectedSha256: string, label: string): Check[] {
  const { report, transfer } = outcome;
  const named = (what: string): string => `${label}: ${what}`;
  const { limits } = step;
  const checks: Check[] = [
    truth(
      named('bytes and checksum right'),
      report.bytes === step.bytes && transfer.sha256 === expectedSha256,
      transfer.wrongAt >= 0
        ? `wrong from byte ${transfer.wrongAt} on`
        : `${report.bytes} of ${step.bytes} bytes came (${transfer.complaint || `curl ended with ${transfer.status}`})`,
    ),
    truth(
      named('one connection to the end'),
      transfer.status === 0 && transfer.connections === 1 && transfer.requests === 1,
      `curl ended with ${transfer.status} after ${transfer.connections} connections; the server saw ${transfer.requests} requests`,
    ),
    truth(
      named('seen from the address of the relay'),
      transfer.seenFrom === addresses.relay,
      `the server saw ${transfer.seenFrom || 'nobody'}`,
    ),
  ];
  if (step.events.length > 0) {
    const note = `${report.events.length} of ${step.events.length}; the transfer ended too early for the rest`;
    checks.push(truth(named('all events happened'), report.events.length === step.events.length, note));
  }
  const figure = (what: string, value: number | null, bound: Check['bound'], limit: number | undefined): void => {
    if (limit !== undefined) checks.push(check(named(what), value, bound, limit));
  };
  figure('share of the sum', report.ofSum, 'min', limits.ofSumMin);
  figure('slowest second of the sum', report.slowestSecondOfSum, 'min', limits.secondsOfSumMin);
  figure('share of kernel MPTCP', report.ofMptcp, 'min', limits.ofMptcpMin);
  figure('whole time of kernel MPTCP', report.wholeSecondsOfMptcp, 'max', limits.wholeSecondsOfMptcpMax);
  figure('longest stall in ms', report.stallMsMax, 'max', limits.stallMsMax);
  if (report.returns.length === 0) return checks;
  const carrying = report.returns.map((r) => r.carryingAgainMs ?? Infinity);
  const again = Math.max(...carrying);
  figure('carrying again after ms', again === Infinity ? null : again, 'max', limits.carryingAgainMsMax);
  const slowest = Math.min(...report.returns.map((r) => r.rateOfSingle));
  figure('rate within 2 s of its return', slowest, 'min', limits.rateAfterReturnMin);
  return checks;
}

/** The checks which compare with kernel MPTCP hold by themselves where there is none to compare with. */
export function withoutRival(step: TransferStep): TransferStep {
  const { ofMptcpMin: _a, wholeSecondsOfMptcpMax: _b, ...limits } = step.limits;
  return { ...step, limits };
}
