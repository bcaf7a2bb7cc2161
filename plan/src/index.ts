export { type Advice, adviseBox, adviseNeed, adviseRelay, problem, warning } from './advice.ts';
export { checkText } from './check-text.ts';
export { desiredState, sysctlsWanted } from './desired.ts';
export { type ChangedSysctls, diff, type Step, sysctlsBefore } from './diff.ts';
export { directOf } from './direct.ts';
export {
  type Facts,
  type KernelState,
  readGateways,
  readInterfaces,
  readRoutes,
  readRules,
  readTable,
} from './facts.ts';
export { engineMark, interceptPort, nftTable, routeProtocol } from './numbers.ts';
export { renderState, renderStep } from './render.ts';
export { type NetworkState, nothing } from './state.ts';
export { stepWords } from './step-words.ts';
export { type ResolvedUplink, resolveUplinks } from './uplink.ts';
export { bestUplink, type Candidate, judge, type Judgement, type PathView } from './verdict.ts';
