export { CreditBudget } from './credit.ts';
export { Dialer, type DialOrder } from './dialer.ts';
export { EgressPolicy } from './egress-policy.ts';
export { fairLevel } from './fair-share.ts';
export { ResetReason, type Target, type Violation } from './frame.ts';
export * as limits from './limits.ts';
export type { Local } from './local.ts';
export {
  kidBytes,
  type Opening,
  openingAadBytes,
  openingByte,
  openingBytes,
  openingTextBytes,
  readOpening,
  saltBytes,
  StrandRole,
  workerOfKid,
  writeOpening,
} from './opening.ts';
export { OpenAllowance } from './open-allowance.ts';
export type { Path } from './path.ts';
export { type Policy, shippedPolicy, type StrandChoice } from './policy.ts';
export { type PathLimits, Session, type SessionOptions } from './session.ts';
export type { Side } from './session-state.ts';
export type { Line as SchedulerLine, Scheduler } from './scheduler.ts';
export { Turns } from './turns.ts';
export { segmentBytes, type Strand, type StrandInfo } from './strand.ts';
export type { Stream } from './stream.ts';
export type { StreamHints } from './stream-hints.ts';
export { readU32, writeU32 } from './wire.ts';
