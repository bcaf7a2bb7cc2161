import type { Prefix, Target } from '@tresse/core';
import { UserError } from '@tresse/kit';
import { decodeSocketAddress, encodeSocketAddress, type SocketAddress } from '@tresse/sys';

/** Where the address stands in struct sockaddr_in and sockaddr_in6. */
const v4At = 4;
const v6At = 8;
const familyV4 = 2;
const familyV6 = 10;

const scratch = new Uint8Array(128);

/** An address as bytes, 4 or 16. Throws UserError `ADDRESS` when the text is none. */
export function addressBytes(address: string): Uint8Array {
  encodeSocketAddress(scratch, address, 0);
  return scratch[0] === familyV4 ? scratch.slice(v4At, v4At + 4) : scratch.slice(v6At, v6At + 16);
}

/** A network, or the one address, as bytes. Throws UserError `PREFIX`, `ADDRESS` when the text is none. */
export function prefixOf(text: string): Prefix {
  const [address = '', bits] = text.split('/');
  const bytes = addressBytes(address);
  const length = bits === undefined ? bytes.length * 8 : Number(bits);
  if (!Number.isInteger(length) || length < 0 || length > bytes.length * 8) {
    throw new UserError('PREFIX', `"${text}" is no network: write ADDRESS/BITS`);
  }
  return { address: bytes, bits: length };
}

/** A socket's address as a stream's target. */
export function targetOf(dialled: SocketAddress): Target {
  return { address: addressBytes(dialled.address), port: dialled.port };
}

/** A stream's target as text and port. */
export function socketAddressOf(target: Target): SocketAddress {
  scratch.fill(0);
  const four = target.address.length === 4;
  scratch[0] = four ? familyV4 : familyV6;
  scratch[2] = target.port >>> 8;
  scratch[3] = target.port;
  scratch.set(target.address, four ? v4At : v6At);
  return decodeSocketAddress(scratch);
}
