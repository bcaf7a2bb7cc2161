import { isDirect, isRelay } from '../network/addresses.ts';
import { type Check, check, type StepReport, truth } from '../report/report.ts';
import type { StepLimits, TransferStep, WaitStep } from '../scenario/scenario.ts';
import type { StepOutcome } from './step.ts';

/** Everything the step had to hold; `expectedSha256` is that of the bytes asked for, `label` begins every name. */
export function stepChecks(step: TransferStep, outcome: StepOutcome, expectedSha256: string, label: string): Check[] {
  const { report } = outcome;
  const { limits } = step;
  return [
    ...(step.ends === 'whole' ? wholeChecks(step, outcome, expectedSha256, label) : [endCheck(step, outcome, label)]),
    ...eventCheck(step.events.length, report, label),
    ...limitChecks(report, limits, label),
  ];
}

/** A transfer's figures held against limits. */
export function limitChecks(report: StepReport, limits: StepLimits, label: string): Check[] {
  return [
    ...figures(label, [
      ['share of the sum', report.ofSum, 'min', limits.ofSumMin],
      ['share of what the lines offered', report.ofOffered ?? null, 'min', limits.ofOfferedMin],
      ['slowest second of the sum', report.slowestSecondOfSum, 'min', limits.secondsOfSumMin],
      ['share of kernel MPTCP', report.ofMptcp, 'min', limits.ofMptcpMin],
      ['whole time of kernel MPTCP', report.wholeSecondsOfMptcp, 'max', limits.wholeSecondsOfMptcpMax],
      ['first byte after ms', report.firstByteMs, 'max', limits.firstByteMsMax],
      ['longest stall in ms', report.stallMsMax, 'max', limits.stallMsMax],
      ['lines taken for dead', report.daemons?.pathSuspicions ?? null, 'max', limits.suspicionsMax],
      ['share of the bytes sent twice', report.daemons?.sentTwice ?? null, 'max', limits.sentTwiceMax],
    ]),
    ...returnChecks(report, limits, label),
    ...askedChecks(report, limits, label),
  ];
}

/** What a step had to hold which only waited. */
export function waitChecks({ limits, events }: WaitStep, report: StepReport, label: string): Check[] {
  return [...eventCheck(events.length, report, label), ...askedChecks(report, limits, label)];
}

function wholeChecks(step: TransferStep, { report, transfer }: StepOutcome, sha256: string, label: string): Check[] {
  const asWanted = step.seen === 'relay' ? isRelay(transfer.seenFrom) : isDirect(transfer.seenFrom);
  return [
    truth(
      `${label}: bytes and checksum right`,
      report.bytes === step.bytes && transfer.sha256 === sha256,
      transfer.wrongAt >= 0
        ? `wrong from byte ${transfer.wrongAt} on`
        : `${report.bytes} of ${step.bytes} bytes came (${transfer.complaint || `curl ended with ${transfer.status}`})`,
    ),
    truth(
      `${label}: one connection to the end`,
      transfer.status === 0 && transfer.connections === 1 && transfer.requests === 1,
      `curl ended with ${transfer.status} after ${transfer.connections} connections; the server saw ${transfer.requests} requests`,
    ),
    truth(
      `${label}: seen from the address of ${step.seen === 'relay' ? 'the relay' : 'a line'}`,
      asWanted,
      `the server saw ${transfer.seenFrom || 'nobody'}`,
    ),
  ];
}

/** curl's words for a connection that was not made, and for one that broke while it sent or received. */
const curlStatus = { refused: [7, 55, 56], reset: [55, 56] };

/** A connection that had to break: by a reset, so that nobody takes what came for the whole. */
function endCheck(step: TransferStep, { report, transfer }: StepOutcome, label: string): Check {
  const ends = step.ends === 'refused' ? 'refused' : 'reset';
  const bytesFit = ends === 'refused' ? report.bytes === 0 : report.bytes < step.bytes && transfer.wrongAt < 0;
  return truth(
    `${label}: ended by a ${ends === 'refused' ? 'refusal' : 'reset, with no wrong byte'}`,
    curlStatus[ends].includes(transfer.status) && bytesFit,
    `curl ended with ${transfer.status} (${transfer.complaint}) after ${report.bytes} bytes`,
  );
}

/** Whether as many events happened as the step has. */
export function eventCheck(wanted: number, { events }: Pick<StepReport, 'events'>, label: string): Check[] {
  if (wanted === 0) return [];
  const note = `${events.length} of ${wanted}; the step ended too early for the rest`;
  return [truth(`${label}: all events happened`, events.length === wanted, note)];
}

type Figure = [what: string, value: number | null, bound: Check['bound'], limit: number | undefined];

/** A check for every figure that has a limit. */
function figures(label: string, of: readonly Figure[]): Check[] {
  return of.flatMap(([what, value, bound, limit]) =>
    limit === undefined ? [] : [check(`${label}: ${what}`, value, bound, limit)],
  );
}

function returnChecks({ returns }: StepReport, limits: StepLimits, label: string): Check[] {
  if (returns.length === 0) return [];
  const again = Math.max(...returns.map((r) => r.carryingAgainMs ?? Infinity));
  const slowest = Math.min(...returns.map((r) => r.rateOfSingle));
  return figures(label, [
    ['carrying again after ms', again === Infinity ? null : again, 'max', limits.carryingAgainMsMax],
    ['rate within 2 s of its return', slowest, 'min', limits.rateAfterReturnMin],
  ]);
}

function askedChecks({ asked }: StepReport, limits: StepLimits, label: string): Check[] {
  return figures(label, [
    ['all requests answered after ms', asked?.answeredMs ?? null, 'max', limits.answeredMsMax],
    ['all requests by the relay after ms', asked?.viaRelayMs ?? null, 'max', limits.viaRelayMsMax],
    ['all requests directly after ms', asked?.directMs ?? null, 'max', limits.directMsMax],
  ]);
}

/** The checks which compare with kernel MPTCP hold by themselves where there is none to compare with. */
export function withoutRival(step: TransferStep): TransferStep {
  const { ofMptcpMin: _a, wholeSecondsOfMptcpMax: _b, ...limits } = step.limits;
  return { ...step, limits };
}
