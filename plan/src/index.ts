export { type Advice, adviseBox, adviseNeed, adviseRelay, problem, warning } from './advice.ts';
export { checkText } from './check-text.ts';
export { type Choice, type DirectUplinks, readChoice } from './choice.ts';
export { desiredState, type NetworkConfig, type Wish } from './desired.ts';
export { type ChangedSysctls, diff, type Step, sysctlsBefore } from './diff.ts';
export {
  type AddressFact,
  type Facts,
  type InterfaceFact,
  type KernelState,
  readGateways,
  readInterfaces,
  readRoutes,
  readRules,
  readTable,
  readWay,
} from './facts.ts';
export { adviseBoxFirewall, adviseRelayFirewall, readDroppingChains } from './firewall.ts';
export {
  engineMark,
  interceptPort,
  markMask,
  nftTable,
  relayTunnelPrefix,
  routeProtocol,
  tunnelInterface,
  tunnelMark,
  uplinkMark,
} from './numbers.ts';
export { type Behind, behindOf } from './behind.ts';
export { mayPublish, type Publishable, publishable, type PublishedUdp } from './publishable.ts';
export {
  relayForwardsIpv6,
  type RelayPorts,
  type RelayRoute,
  relayState,
  relaySysctlsWanted,
  type RelayWish,
} from './relay-network.ts';
export { renderState, renderStep } from './render.ts';
export { type NetworkState, nothing } from './state.ts';
export { stepWords } from './step-words.ts';
export { forwardsIpv6, hasIpv6, ipv6Sysctls, type Sysctls, sysctlsWanted } from './sysctls.ts';
export {
  beforeAnySession,
  type PacketTreatments,
  type Situation,
  treat,
  treatPackets,
  type TunnelState,
  type Treatment,
  type Treatments,
  withoutTunnel,
} from './treatment.ts';
export { type ResolvedUplink, resolveUplinks, sendingAddress, type UplinkAddress } from './uplink.ts';
export { bestUplink, bestUplinks, type Candidate, judge, type Judgement, type PathView } from './verdict.ts';
