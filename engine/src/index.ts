export type {
  BoxEngine,
  BoxEngineOptions,
  BoxPath,
  DirectSource,
  DirectSources,
  Engine,
  EngineEvents,
  EnginePlace,
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
export { localLimits, startBoxEngine } from './engine-host.ts';
export { startRelayEngine } from './relay-host.ts';
