import { callLines } from './call-figures.ts';
import { crowdLines } from './crowd-figures.ts';
import { bytesText, rateText, secondsText, shareText } from './figures.ts';
import { flowsLines } from './flows-figures.ts';
import { mixedLines } from './mixed-figures.ts';
import { probeText } from './probe-figures.ts';
import type { Check, PairFigures, Report, StepReport } from './report.ts';
import { udpLines } from './udp-figures.ts';
import { visitLines } from './visit-figures.ts';

/** The report for people. */
export function reportTable(report: Report): string {
  return [
    `${report.scenario}: ${report.title}`,
    `kernel ${report.kernel}, seed ${report.seed}${report.short ? ', short form (floors only)' : ''}`,
    '',
    ...singlesTable(report),
    '',
    ...report.steps.flatMap((step) => [...stepTable(step, report), '']),
    ...(report.checks.length > 0 ? [...checksTable(report.checks), ''] : []),
    ...emulatorLines(report),
    ...(report.fault === undefined ? [] : [`It could not go on: ${report.fault}`]),
    `verdict: ${report.verdict}${report.runs === undefined ? '' : ` (medians of ${report.runs.length} runs)`}`,
  ].join('\n');
}

function singlesTable(report: Report): string[] {
  const { sum, mptcp, rivals } = report;
  if (report.singles.length === 0) return [`the lines alone: ${report.mptcpNote}`];
  const rows = [
    ['line', 'down', 'up'],
    ...report.singles.map((s) => [s.uplink, rateText(s.downBitsPerSecond), rateText(s.upBitsPerSecond)]),
    ['sum', rateText(sum.downBitsPerSecond), rateText(sum.upBitsPerSecond)],
  ];
  if (mptcp !== null) {
    const cell = (of: 'down' | 'up'): string => {
      const figures = mptcp[of];
      if (figures === undefined) return '-';
      const whole = figures.seconds === null ? '' : `, ${bytesText(figures.bytes)} in ${secondsText(figures.seconds)}`;
      return `${rateText(figures.goodputBitsPerSecond)} (${shareText(figures.goodputBitsPerSecond / sum[`${of}BitsPerSecond`])}${whole})`;
    };
    rows.push(['MPTCP', cell('down'), cell('up')]);
  }
  return [
    ...columns(rows),
    `lines alone: ${rivals.singles}, ${rivals.congestionControl}, ${rivals.singleSeconds} s each way, slow ones up to ${rivals.singleSecondsMax} s`,
    mptcp === null
      ? `kernel MPTCP: ${report.mptcpNote}`
      : `kernel MPTCP: ${rivals.mptcp.client}; ${rivals.congestionControl}, buffers to ${rivals.mptcp.bufferBytesMax / 1_048_576} MiB, up to ${rivals.mptcp.subflows} subflows`,
    `all figures count from second ${rivals.countedFromSecond} to the last byte; whole transfers in brackets`,
  ];
}

function stepTable(step: StepReport, report: Report): string[] {
  if (step.ping) {
    const { sent, received, rttMsMin, rttMsMean, rttMsMax, unansweredMsMax } = step.ping;
    const rtt = [rttMsMin, rttMsMean, rttMsMax].map((ms) => ms.toFixed(1)).join(' / ');
    const silent = unansweredMsMax === 0 ? '' : `, none for ${unansweredMsMax} ms`;
    return [
      `${step.name}: ${received} of ${sent} echoes answered${silent}, ${rtt} ms (least, mean, most)`,
      ...eventLines(step),
    ];
  }
  if (step.pairs) return [`${step.name}: ${secondsText(step.seconds)}`, ...step.pairs.map((pair) => pairLine(pair))];
  if (step.kind === 'wait' || step.kind === 'status')
    return [`${step.name}: ${secondsText(step.seconds)}`, ...eventLines(step), ...askedLines(step)];
  if (step.mixed)
    return [`${step.name}: ${secondsText(step.seconds)}`, ...mixedLines(step.mixed), ...daemonLines(step)];
  if (step.call) return [`${step.name}: ${secondsText(step.seconds)}`, ...callLines(step.call), ...eventLines(step)];
  if (step.udp) return [`${step.name}: ${secondsText(step.seconds)}`, ...udpLines(step.udp), ...eventLines(step)];
  if (step.probe) return [`${step.name}: ${probeText(step.probe)}`];
  if (step.visit) return [`${step.name}: ${secondsText(step.seconds)}`, ...visitLines(step.visit)];
  if (step.crowd) return [`${step.name}: ${secondsText(step.seconds)}`, ...crowdLines(step.crowd)];
  const total = step.shares.reduce((sum, share) => sum + share.bytes, 0);
  const shares = step.shares.map((s) => `${s.uplink} ${shareText(total === 0 ? 0 : s.bytes / total)}`).join(', ');
  const rate = step.goodputBitsPerSecond === null ? '' : ` at ${rateText(step.goodputBitsPerSecond)}`;
  const ofMptcp = report.mptcp === null || step.quic ? '' : `, ${shareText(step.ofMptcp)} of MPTCP`;
  const slowest =
    step.slowestSecondOfSum === null ? '' : `; ${shareText(step.slowestSecondOfSum)} in its slowest second`;
  const whole = step.wholeSecondsOfMptcp === null ? '' : ` (${step.wholeSecondsOfMptcp.toFixed(3)}x MPTCP's time)`;
  return [
    `${step.name}: ${bytesText(step.bytes)}${rate}, whole ${secondsText(step.seconds)}${whole}`,
    ...(step.ofSum === null ? [] : [`  ${shareText(step.ofSum)} of the sum${ofMptcp}${slowest}`]),
    ...(step.quic
      ? [`  ${shareText(step.quic.ofDirect)} of ${rateText(step.quic.directBitsPerSecond)} directly over the best line`]
      : []),
    ...(step.ofOffered ? [`  ${shareText(step.ofOffered)} of what the lines offered meanwhile`] : []),
    `  first byte after ${step.firstByteMs.toFixed(0)} ms, longest stall ${step.stallMsMax.toFixed(0)} ms at ${secondsText(step.stallAtSeconds)}`,
    `  carried by ${shares}`,
    ...(step.flows === undefined ? [] : flowsLines(step.flows)),
    ...(step.events.length === 0 ? [] : step.phases.flatMap((phase, i) => phaseLines(step, phase, i))),
    ...daemonLines(step),
    ...playsLines(step),
    ...askedLines(step),
    ...step.returns.map((back) => {
      const again =
        back.carryingAgainMs === null
          ? 'did not carry again'
          : `carried again after ${back.carryingAgainMs.toFixed(0)} ms`;
      return `  ${back.uplink} ${again}, ${shareText(back.rateOfSingle)} of its own rate within 2 s`;
    }),
  ];
}

function daemonLines({ daemons }: StepReport): string[] {
  if (daemons === undefined) return [];
  const { pathSuspicions, pathSuspicionsNeedless, strandSuspicions, sentTwice } = daemons;
  return [
    `  sent twice ${shareText(sentTwice)}; taken for dead: lines ${pathSuspicions} (${pathSuspicionsNeedless} needlessly), single connections ${strandSuspicions}`,
  ];
}

/** The least and the most. */
function ends(values: readonly number[], text: (value: number) => string): string {
  return values.length === 0 ? '-' : `${text(Math.min(...values))} to ${text(Math.max(...values))}`;
}

/** How far the plays lie apart, where there were several. */
function playsLines({ plays }: StepReport): string[] {
  if (plays === undefined) return [];
  const shares = plays.flatMap((play) => play.ofSum ?? []);
  const stalls = plays.map((play) => play.stallMsMax);
  return [
    `  medians of ${plays.length}: ${ends(shares, shareText)} of the sum, longest stalls ${ends(stalls, (ms) => ms.toFixed(0))} ms`,
  ];
}

/** A phase's rate, and the event that ended it. */
function phaseLines(step: StepReport, phase: StepReport['phases'][number], index: number): string[] {
  const event = step.events[index];
  const span = `${phase.fromSeconds.toFixed(1)} to ${phase.toSeconds.toFixed(1)} s`;
  return [
    `  ${span}: ${rateText(phase.bitsPerSecond)}`,
    ...(event === undefined ? [] : [`  ${secondsText(event.atSeconds)}: ${event.text}`]),
  ];
}

function pairLine({ what, count, medianMs, directMedianMs, medianOfDirect, p95OfDirect }: PairFigures): string {
  const ratios = `${medianOfDirect.toFixed(3)} of the direct time in the median, ${p95OfDirect?.toFixed(3) ?? '-'} at the 95th percentile`;
  return `  ${what}, ${count} pairs: ${ratios} (${medianMs.toFixed(0)} and ${directMedianMs.toFixed(0)} ms)`;
}

function eventLines({ events }: StepReport): string[] {
  return events.map((event) => `  ${secondsText(event.atSeconds)}: ${event.text}`);
}

function after(ms: number | null): string {
  return ms === null ? '' : ` (for good ${ms.toFixed(0)} ms after the last event)`;
}

function askedLines({ asked }: StepReport): string[] {
  if (asked === undefined) return [];
  const { answered, viaRelay, direct } = asked;
  return [
    `  asked meanwhile: ${answered} of ${asked.asked} answered${after(asked.answeredMs)}`,
    ...(viaRelay > 0 ? [`  ${viaRelay} seen from the relay${after(asked.viaRelayMs)}`] : []),
    ...(direct > 0 ? [`  ${direct} seen from a line${after(asked.directMs)}`] : []),
  ];
}

function figure(value: number | null): string {
  return value === null ? '-' : String(Number(value.toFixed(3)));
}

function checksTable(checks: readonly Check[]): string[] {
  return columns([
    ['check', 'value', 'limit', ''],
    ...checks.map((c) => [
      c.name,
      figure(c.value),
      `${c.bound === 'min' ? '>=' : '<='} ${figure(c.limit)}`,
      c.ok ? 'ok' : `FAILED${c.note === undefined ? '' : `: ${c.note}`}`,
    ]),
  ]);
}

function emulatorLines({ emulator, voids }: Report): string[] {
  const { unpunctualRatio } = emulator;
  const unpunctual =
    unpunctualRatio === null ? '' : `, ${(unpunctualRatio * 100).toFixed(2)} % over 3 ms while delays were judged`;
  const late = `${(emulator.lateRatio * 100).toFixed(2)} % of ${emulator.packets} packets over 5 ms late (${emulator.latenessMsMax.toFixed(0)} ms at most)${unpunctual}`;
  const drops = `${emulator.unreadDrops} lost unread`;
  return [`emulated lines: ${late}, ${drops}${voids > 0 ? `; ${voids} void run(s) thrown away` : ''}`];
}

/** Rows as columns of text; the last column is not padded. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const count = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}
