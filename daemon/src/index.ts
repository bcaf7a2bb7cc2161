export { readPeerMessage, sayGoodbye, writePeerMessage } from './peer-message.ts';
export { get, post, type Route, serveApi } from './api.ts';
export { readChangedSysctls, sysctlFile } from './changed-sysctls.ts';
export { preferredCiphers } from './ciphers.ts';
export { readConfiguration, writeFirstConfiguration } from './configuration.ts';
export {
  type Agreement,
  dialRelay,
  type Offer,
  pairWithRelay,
  RefusalError,
  type RelayAgreement,
  type RelayTarget,
  unreachedSentence,
} from './dial.ts';
export { ensureIdentity, type Identity, requireIdentity } from './identity.ts';
export { exitOf, givenUp, onCrash, requireRoot, runMain, softwareVersion, untilSignal } from './life.ts';
export { readFacts, readKernel } from './kernel.ts';
export { kernelWishes } from './kernel-wishes.ts';
export { lockHolder, lockStateDirectory } from './lock.ts';
export { type Log, type LogLevel, logLevels, makeLog } from './log.ts';
export { Network } from './network.ts';
export { Reception, type Remote, type Welcome } from './reception.ts';
export { openStateDirectory, readStateDirectory, type StateDirectory, type StateReader } from './state-directory.ts';
export { reportSession } from './session-report.ts';
export { SlowWarnings } from './slow-warnings.ts';
export { startCommand } from './start-command.ts';
export { Tun } from './tun.ts';
