import type { MultipathFigures } from '../rivals/multipath-rival.ts';
import type { RivalSettings } from '../rivals/rivals.ts';
import type { Single } from '../rivals/singles.ts';
import type { LineSpec, Step } from '../scenario/scenario.ts';
import type { CallFigures } from './call-figures.ts';
import type { CrowdFigures } from './crowd-figures.ts';
import type { FlowsFigures } from './flows-figures.ts';
import type { MixedFigures } from './mixed-figures.ts';
import type { ProbeFigures } from './probe-figures.ts';
import type { UdpFigures } from './udp-figures.ts';
import type { VisitFigures } from './visit-figures.ts';

/** Rates are bits per second, ratios 0 to 1, `null` stands where a figure could not be taken. */
export interface Report {
  readonly scenario: string;
  readonly title: string;
  readonly seed: number;
  /** Whether it was the short form with its floors, or the full one. */
  readonly short: boolean;
  readonly kernel: string;
  readonly rivals: RivalSettings;
  readonly lines: LineSpec[];
  readonly singles: Single[];
  /** Sums over the singles. */
  readonly sum: { downBitsPerSecond: number; upBitsPerSecond: number };
  readonly mptcp: { down?: MultipathFigures; up?: MultipathFigures } | null;
  /** Why `mptcp` is null. */
  readonly mptcpNote: string;
  readonly steps: StepReport[];
  readonly checks: Check[];
  /** How well the emulated lines kept time. */
  readonly emulator: EmulatorReport;
  readonly verdict: Verdict;
  /** Why it could not go on, where it could not. */
  readonly fault?: string;
  /** Runs that were thrown away because the machine was too slow for the lines. */
  readonly voids: number;
  /** Every run, where there were several: the figures above are then medians. */
  readonly runs?: Report[];
}

type Verdict = 'pass' | 'fail' | 'void';

export interface StepReport {
  readonly kind: Step['kind'];
  readonly name: string;
  readonly bytes: number;
  /** Of the whole transfer, from the client's connect to the last byte. */
  readonly seconds: number;
  /** From second 1 to the last byte. */
  readonly goodputBitsPerSecond: number | null;
  readonly ofSum: number | null;
  /** Of what the lines offered, where some of them were dead for a while. */
  readonly ofOffered?: number | null;
  readonly ofMptcp: number | null;
  /** The slowest whole second after the second one and before the last, of the sum. */
  readonly slowestSecondOfSum: number | null;
  /** Whole seconds against kernel MPTCP's for the same bytes: under 1 is faster. */
  readonly wholeSecondsOfMptcp: number | null;
  /** From the client's connect. */
  readonly firstByteMs: number;
  /** Longest time without new bytes at the receiving application, and when it began. */
  readonly stallMsMax: number;
  readonly stallAtSeconds: number;
  /** IP bytes each uplink delivered in the step's direction. */
  readonly shares: { uplink: string; bytes: number }[];
  readonly events: { atSeconds: number; text: string }[];
  /** Rates between events, from second 1 on. */
  readonly phases: { fromSeconds: number; toSeconds: number; bitsPerSecond: number }[];
  /** For every line that came back during the step. */
  readonly returns: { uplink: string; carryingAgainMs: number | null; rateOfSingle: number }[];
  readonly sha256: string;
  /** Of the requests asked meanwhile. */
  readonly asked?: AskedFigures;
  /** What box and relay counted meanwhile. */
  readonly daemons?: DaemonFigures;
  /** Every play, where there were several: the figures above are then medians. */
  readonly plays?: StepReport[];
  /** Of a step that races pairs, each kind of transfer by itself. */
  readonly pairs?: PairFigures[];
  /** Of a step that pings. */
  readonly ping?: PingFigures;
  /** Of a step in which requests stand beside bulk. */
  readonly mixed?: MixedFigures;
  /** Of a step of many flows. */
  readonly flows?: FlowsFigures;
  /** Of a step with a crowd of streams. */
  readonly crowd?: CrowdFigures;
  /** Of a step with a flow of UDP. */
  readonly udp?: UdpFigures;
  /** Of a step with a call. */
  readonly call?: CallFigures;
  /** Of a download by HTTP/3: against the same directly over the best line. */
  readonly quic?: { readonly directBitsPerSecond: number; readonly ofDirect: number | null };
  /** Of a step that probes. */
  readonly probe?: ProbeFigures;
  /** Of a visit to a published port. */
  readonly visit?: VisitFigures;
}

/** Requests asked while something else went on. Times from the last event until all were answered, as wanted; null where they never were. */
export interface AskedFigures {
  readonly asked: number;
  readonly answered: number;
  readonly viaRelay: number;
  readonly direct: number;
  readonly answeredMs: number | null;
  readonly viaRelayMs: number | null;
  readonly directMs: number | null;
}

export interface DaemonFigures {
  /** Lines taken for dead, by either side. */
  readonly pathSuspicions: number;
  /** Those that were heard again at once. */
  readonly pathSuspicionsNeedless: number;
  /** Single connections taken for dead while their line was not. */
  readonly strandSuspicions: number;
  /** Of the step's bytes, how many were sent twice; null where it carried none. */
  readonly sentTwice: number | null;
}

/** Transfers through Tresse, each held against one directly over the best line right before or after it. */
export interface PairFigures {
  /** What was transferred. */
  readonly what: string;
  readonly count: number;
  /** Medians of the times from the client's connect to the last byte. */
  readonly medianMs: number;
  readonly directMedianMs: number;
  /** Of the pairs' ratios: under 1 is faster than directly. */
  readonly medianOfDirect: number;
  readonly p95OfDirect: number | null;
  /** The times of each pair, in order: through Tresse and directly. */
  readonly timesMs: readonly (readonly [number, number])[];
}

export interface PingFigures {
  readonly sent: number;
  readonly received: number;
  readonly rttMsMin: number;
  readonly rttMsMean: number;
  readonly rttMsMax: number;
  /** The longest time in which none was answered. */
  readonly unansweredMsMax: number;
}

/** One thing that had to hold. Truths count as 1 and 0. */
export interface Check {
  readonly name: string;
  readonly value: number | null;
  readonly limit: number;
  /** Whether the value has to be at least or at most the limit. */
  readonly bound: 'min' | 'max';
  readonly ok: boolean;
  /** It holds or does not: in every run, not in the median. */
  readonly truth?: true;
  /** What was seen, where a truth does not hold. */
  readonly note?: string;
}

export interface EmulatorReport {
  readonly packets: number;
  /** Share of packets delivered more than 5 ms late. */
  readonly lateRatio: number;
  /** While delays were judged: share of packets delivered more than 3 ms late, in the worst step; null where none was. */
  readonly unpunctualRatio: number | null;
  readonly latenessMsMax: number;
  /** Packets dropped before the emulator could fetch them. */
  readonly unreadDrops: number;
}

/** A run with more late packets than this says nothing about anybody: it is void. */
export const lateRatioMax = 0.01;

/** A run whose 99th percentile of lateness is above 3 ms says nothing about delays. */
export const unpunctualRatioMax = 0.01;

/** A figure held against a limit; a figure that could not be taken does not hold. */
export function check(name: string, value: number | null, bound: Check['bound'], limit: number): Check {
  const ok = value !== null && (bound === 'min' ? value >= limit : value <= limit);
  return { name, value, limit, bound, ok };
}

/** The same, where there is a limit. */
export function limited(name: string, value: number | null, bound: Check['bound'], limit: number | undefined): Check[] {
  return limit === undefined ? [] : [check(name, value, bound, limit)];
}

/** Something that is true or not; the note is told where it is not. */
export function truth(name: string, holds: boolean, note: string): Check {
  return { name, value: holds ? 1 : 0, limit: 1, bound: 'min', ok: holds, truth: true, ...(holds ? {} : { note }) };
}
