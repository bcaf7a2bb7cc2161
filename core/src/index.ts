export { CreditBudget } from './stream/credit.ts';
export { Dialer, type DialOrder } from './strand/dialer.ts';
export { EgressPolicy, specialNetworks } from './egress-policy.ts';
export { fairLevel } from './stream/fair-share.ts';
export { ResetReason, type Target, type Violation } from './wire/frame.ts';
export * as limits from './limits.ts';
export type { Local } from './stream/local.ts';
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
  kidNumber,
  workerOfKid,
  writeOpening,
} from './wire/opening.ts';
export { OpenAllowance } from './stream/open-allowance.ts';
export { Cutter } from './offload/cutter.ts';
export { Joiner, joinerBytes } from './offload/joiner.ts';
export { emptyVnetHeader, readVnetHeader, type VnetHeader, vnetHeaderBytes } from './offload/vnet-header.ts';
export { Path } from './line/path.ts';
export { type Prefix, within, withinAt } from './prefix.ts';
export { PacketLane } from './packet/packet-lane.ts';
export { defaultPacketPolicy, type PacketPolicy } from './packet/packet-sender.ts';
export type { Deliver } from './packet/resequencer.ts';
export type { UdpState } from './packet/udp-watch.ts';
export { PacketSlots } from './packet/packet-slots.ts';
export {
  type DatagramHeader,
  datagramHeaderBytes,
  datagramSessionAt,
  datagramOverheadBytes,
  PacketClass,
  readDatagramHeader,
  sealCounterOf,
  writeDatagramHeader,
} from './packet/datagram.ts';
export { type Policy, shippedPolicy, type StrandChoice } from './scheduling/policy.ts';
export { type PathLimits, Session, type SessionOptions } from './session/session.ts';
export type { Side } from './session/session-state.ts';
export type { Line as SchedulerLine, Scheduler } from './scheduling/scheduler.ts';
export { Turns } from './strand/turns.ts';
export { segmentBytes, type Strand, type StrandInfo } from './strand/strand.ts';
export type { Stream } from './stream/stream.ts';
export type { StreamHints } from './stream/stream-hints.ts';
export { readU32, writeU32 } from './wire/wire.ts';
