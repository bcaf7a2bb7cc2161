/** IP packets for tests. */
export interface Made {
  readonly from?: string;
  readonly to?: string;
  readonly fromPort?: number;
  readonly toPort?: number;
  readonly protocol?: number;
  readonly dscp?: number;
  readonly length?: number;
  /** Flags and offset of an IPv4 fragment. */
  readonly fragment?: number;
}

/** An IPv4 packet, ports where the protocol has them. */
export function ipv4(made: Made = {}): Uint8Array {
  const { from = '192.168.1.2', to = '198.51.100.7', fromPort = 40_000, toPort = 443, protocol = 17 } = made;
  const bytes = new Uint8Array(made.length ?? 100);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x45;
  bytes[1] = (made.dscp ?? 0) << 2;
  view.setUint16(2, bytes.length);
  view.setUint16(6, made.fragment ?? 0);
  bytes[8] = 64;
  bytes[9] = protocol;
  bytes.set(from.split('.').map(Number), 12);
  bytes.set(to.split('.').map(Number), 16);
  if (bytes.length < 40) return bytes;
  view.setUint16(20, fromPort);
  view.setUint16(22, toPort);
  if (protocol === 6) bytes[32] = 0x50;
  return bytes;
}

/** An IPv6 packet from one host to another of 2001:db8::/64, with the extension headers given by number. */
export function ipv6(from: number, to: number, extensions: readonly number[] = [], protocol = 17): Uint8Array {
  const bytes = new Uint8Array(40 + 8 * extensions.length + 20);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x6000_0000);
  view.setUint16(4, bytes.length - 40);
  bytes[6] = extensions[0] ?? protocol;
  for (const [at, host] of [
    [8, from],
    [24, to],
  ] as const) {
    view.setUint32(at, 0x2001_0db8);
    bytes[at + 15] = host;
  }
  extensions.forEach((_, i) => {
    bytes[40 + 8 * i] = extensions[i + 1] ?? protocol;
  });
  const at = 40 + 8 * extensions.length;
  view.setUint16(at, from < to ? 5_000 : 6_000);
  view.setUint16(at + 2, from < to ? 6_000 : 5_000);
  return bytes;
}
