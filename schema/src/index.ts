export { relayPort } from './address.ts';
export {
  type BoxConfig,
  boxConfig,
  type BoxFile,
  given,
  type RelayPlace,
  type UplinkConfig,
  uplinkKinds,
} from './box-config.ts';
export {
  type BoxHello,
  boxHello,
  type Cipher,
  helloBytesMax,
  type HelloLimits,
  protocolVersions,
  type RefusalCode,
  refusalSentence,
  type RelayAnswer,
  relayAnswer,
} from './hello.ts';
export { firstFile } from './first-file.ts';
export { readJsonValue } from './json-value.ts';
export { describeKeys, type KeyDescription } from './key-description.ts';
export { type Family, ipFamily, ipNetwork, ipOctets, ipText, ipWithin } from './ip.ts';
export { type BoxRegister, boxRegister, type Pairing, pairing } from './pairing.ts';
export { type PairingCode, readPairingCode, writePairingCode } from './pairing-code.ts';
export type { PacketWishes } from './packet-wishes.ts';
export { type PeerMessage, peerMessage, type PublishedMessage, type TunnelMessage } from './peer-message.ts';
export {
  type LanHost,
  lanHosts,
  portClash,
  portName,
  type PortProtocol,
  protocolsOf,
  type Publication,
  publication,
  type PublicationRegister,
  publicationRegister,
  publicationsMax,
} from './publication.ts';
export { durationMs, rateBps, shareRatio, sizeBytes } from './quantity.ts';
export {
  apiRefusal,
  type BoxesAnswer,
  boxesAnswer,
  doneAnswer,
  type KnownBox,
  type PairAnswer,
  pairAnswer,
  type PairRequest,
  pairRequest,
  type PublishRequest,
  publishRequest,
  type RenameRequest,
  renameRequest,
  type RevokeRequest,
  revokeRequest,
  type UnpublishRequest,
  unpublishRequest,
} from './relay-api.ts';
export { type RelayConfig, relayConfig } from './relay-config.ts';
export { type BoxRoute, overlap } from './route.ts';
export {
  type DaemonStatus,
  daemonStatus,
  type PathPackets,
  type PathStatus,
  type PublishedPortStatus,
  type RouteStatus,
  type SessionPackets,
  type SessionStatus,
  type UplinkStatus,
  type Verdict,
} from './status.ts';
export { yamlText } from './yaml-text.ts';
export { readYaml } from './yaml.ts';
