import { isIPv4, isIPv6 } from 'node:net';

import { BugError, UserError } from '@tresse/kit';

/** A host and port; IPv6 addresses in their short form, v4-mapped ones as IPv4, link-local ones with `%` and the interface's number. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export const AF_INET = 2;
export const AF_INET6 = 10;

/** Room for the largest address used here (struct sockaddr_storage). */
export const socketAddressSize = 128;

/**
 * Writes a struct sockaddr_in or sockaddr_in6. An IPv6 zone (`fe80::1%3`) must be a number. Returns the bytes written, 16 or 28.
 * Throws UserError `ADDRESS` when it is no address, BugError `PORT` when the port is not 0 to 65535.
 */
export function encodeSocketAddress(target: Uint8Array, address: string, port: number): number {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new BugError('PORT', `${port} is not a port number`);
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  target.fill(0, 0, 28);
  view.setUint16(2, port);
  if (isIPv4(address)) {
    view.setUint16(0, AF_INET, true);
    target.set(address.split('.').map(Number), 4);
    return 16;
  }
  if (!isIPv6(address)) throw new UserError('ADDRESS', `"${address}" is not an IP address.`);
  const [plain = '', zone = '0'] = address.split('%');
  if (!/^\d{1,9}$/u.test(zone)) {
    throw new UserError('ADDRESS', `the zone of "${address}" must be an interface's number.`);
  }
  view.setUint16(0, AF_INET6, true);
  for (const [i, group] of groupsOf(plain).entries()) view.setUint16(8 + 2 * i, group);
  view.setUint32(24, Number(zone), true);
  return 28;
}

/** Reads a struct sockaddr_in or sockaddr_in6. Throws BugError `ADDRESS_FAMILY` for any other. */
export function decodeSocketAddress(source: Uint8Array): SocketAddress {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const family = view.getUint16(0, true);
  const port = view.getUint16(2);
  if (family === AF_INET) return { address: source.subarray(4, 8).join('.'), port };
  if (family !== AF_INET6) throw new BugError('ADDRESS_FAMILY', `address family ${family} is not an internet one`);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + 2 * i));
  if (groups[5] === 0xff_ff && groups.slice(0, 5).every((g) => g === 0)) {
    return { address: source.subarray(20, 24).join('.'), port };
  }
  const zone = view.getUint32(24, true);
  return { address: zone === 0 ? shortened(groups) : `${shortened(groups)}%${zone}`, port };
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [left = '', right] = address.split('::');
  const before = groupsOfPart(left);
  if (right === undefined) return before;
  const after = groupsOfPart(right);
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => 0), ...after];
}

function groupsOfPart(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`, the first of equals. */
function shortened(groups: readonly number[]): string {
  let best = 0;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > bestLength) {
      best = start;
      bestLength = end - start;
    }
  }
  const text = groups.map((g) => g.toString(16));
  if (bestLength === 1) return text.join(':');
  return `${text.slice(0, best).join(':')}::${text.slice(best + bestLength).join(':')}`;
}
