export type {
  BoxEngine,
  BoxEngineOptions,
  BoxPath,
  Engine,
  EngineEvents,
  EngineStatus,
  KidInstall,
  LogFields,
  LogLevel,
  PathStatus,
  PeerLimits,
  RelayEngine,
  RelayEngineOptions,
  SessionStatus,
  StrandStatus,
} from './api.ts';
export { localLimits, startBoxEngine, startRelayEngine } from './engine-host.ts';
