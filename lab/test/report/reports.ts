import type { Report, StepReport } from '../../src/report/report.ts';
import { rivalSettings } from '../../src/rivals/rivals.ts';

const step: StepReport = {
  kind: 'download',
  name: 'download',
  bytes: 100_000_000,
  seconds: 6,
  goodputBitsPerSecond: 140e6,
  ofSum: 0.98,
  ofMptcp: 1.01,
  slowestSecondOfSum: 0.9,
  wholeSecondsOfMptcp: 0.96,
  firstByteMs: 40,
  stallMsMax: 12,
  stallAtSeconds: 0.4,
  shares: [
    { uplink: 'a', bytes: 8_000_000 },
    { uplink: 'b', bytes: 92_000_000 },
  ],
  events: [{ atSeconds: 2.5, text: 'b falls silent' }],
  phases: [
    { fromSeconds: 1, toSeconds: 2.5, bitsPerSecond: 142e6 },
    { fromSeconds: 2.5, toSeconds: 6, bitsPerSecond: 46e6 },
  ],
  returns: [{ uplink: 'b', carryingAgainMs: 300, rateOfSingle: 0.99 }],
  sha256: 'ab',
};

const direction = { rateBps: 8e6, delayMs: 15, jitterMs: 0, lossRatio: 0, queueMs: 100 };

/** A report that passed, changed as given. */
export function reportWith(changes: Partial<Report> = {}, stepChanges: Partial<StepReport> = {}): Report {
  return {
    scenario: 'household',
    title: 'three lines',
    seed: 1,
    short: false,
    kernel: '6.18',
    rivals: rivalSettings(false),
    lines: [{ name: 'a', kind: 'adsl', down: direction, up: direction }],
    singles: [
      {
        uplink: 'a',
        downBitsPerSecond: 7.7e6,
        upBitsPerSecond: 967e3,
        downLineBitsPerSecond: 8e6,
        upLineBitsPerSecond: 1e6,
      },
    ],
    sum: { downBitsPerSecond: 7.7e6, upBitsPerSecond: 967e3 },
    mptcp: { down: { bytes: 100_000_000, seconds: 6.2, goodputBitsPerSecond: 7.6e6, shares: [] } },
    mptcpNote: '',
    steps: [{ ...step, ...stepChanges }],
    checks: [],
    emulator: { packets: 1_000, lateRatio: 0.001, unpunctualRatio: null, latenessMsMax: 7, unreadDrops: 0 },
    verdict: 'pass',
    voids: 0,
    ...changes,
  };
}
