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
  InnerAddresses,
  KidInstall,
  LanAccess,
  LanTargets,
  LogFields,
  LogLevel,
  PacketPort,
  PathStatus,
  PeerLimits,
  PeerRoutes,
  PublishedPort,
  PublishedStatus,
  RelayEngine,
  RelayEngineOptions,
  SessionStatus,
  StrandStatus,
} from './api.ts';
export { localLimits, startBoxEngine } from './engine-host.ts';
export { startRelayEngine } from './relay-host.ts';
export { openPacketSockets } from './packet-sockets.ts';
export { readDatagrams } from './worker/datagram-port.ts';
export { PacketDriver } from './worker/packet-driver.ts';
export { TunDevice } from './worker/tun-device.ts';
export { openPublicPort } from './published-sockets.ts';
