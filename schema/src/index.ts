export { ipv4Cidr, ipv4Host, ipv4Network, ipv4Within, interfaceName, port } from './address.ts';
export { type BoxConfig, boxConfig, type UplinkConfig, uplinkKinds, uplinksMax } from './box-config.ts';
export {
  type BoxHello,
  boxHello,
  type Cipher,
  ciphers,
  helloBytesMax,
  type HelloLimits,
  protocolVersions,
  type RefusalCode,
  refusalSentence,
  type RelayAnswer,
  relayAnswer,
  type RelayHello,
} from './hello.ts';
export { pin } from './pin.ts';
export { durationMs, rateBps, shareRatio, sizeBytes } from './quantity.ts';
export { type RelayConfig, relayConfig } from './relay-config.ts';
export {
  type DaemonStatus,
  daemonStatus,
  type PathStatus,
  type SessionStatus,
  type UplinkStatus,
  type Verdict,
} from './status.ts';
export { type Reading, readYaml } from './yaml.ts';
