/**
 * The pairing code: everything a box needs to know of its relay, in one line that a person copies, and a token that lets it in
 * once. `TRESSE`, then base 32 of
 *
 *     version 1 | token 16 | pin 32 | port 2 | addresses: (length 1: 4 or 16 | address) 1 to 8 times | CRC-32 4
 *
 * Only characters that cannot be taken for each other, in one case: it survives being read aloud, and a QR code holds it in few
 * dots. The check comes before the version, so that a typo is never told as another version.
 */
import { ipOctets, ipText } from './ip.ts';
import { base32, base64url, fromText, toText } from './radix-text.ts';

/** What a pairing code holds. */
export interface PairingCode {
  /** The relay's addresses, 1 to 8, IPv6 in the form of RFC 5952. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** The relay's pin. */
  readonly pin: string;
  /** 16 octets in base64url; good for one box. */
  readonly token: string;
}

const prefix = 'TRESSE';
const version = 1;
const tokenBytes = 16;
const pinBytes = 32;
const headBytes = 1 + tokenBytes + pinBytes + 2;
const checkBytes = 4;
const addressesMax = 8;

const notACode = 'This is no pairing code: one begins with TRESSE, as "tresse relay pair" prints it.';
const typo = 'The pairing code has a typo or is not whole: copy it again.';
const newer = 'The pairing code is of a newer version of Tresse: update this box.';

/** A pairing code as text of one line. Undefined where pin, token, port or addresses are not what they should be. */
export function writePairingCode(given: PairingCode): string | undefined {
  const token = fromText(given.token, base64url);
  const pin = fromText(given.pin, base64url);
  const addresses = given.addresses.map((address) => ipOctets(address) ?? []);
  if (token?.length !== tokenBytes || pin?.length !== pinBytes) return undefined;
  if (!allowed(addresses, given.port)) return undefined;
  const body = Uint8Array.from([
    version,
    ...token,
    ...pin,
    given.port >>> 8,
    given.port & 0xff,
    ...addresses.flatMap((address) => [address.length].concat(address)),
  ]);
  return prefix + toText(Uint8Array.from([...body, ...crc32(body)]), base32);
}

/**
 * Reads what a person typed: in upper or lower case, with spaces or hyphens in between, O for 0 and I or L for 1. Returns the
 * code, or a sentence that says what is wrong with it.
 */
export function readPairingCode(
  typed: string,
): { readonly ok: true; readonly value: PairingCode } | { readonly ok: false; readonly sentence: string } {
  const text = typed.replaceAll(/[\s-]/gu, '').toUpperCase();
  if (!text.startsWith(prefix)) return { ok: false, sentence: notACode };
  const digits = text.slice(prefix.length).replaceAll('O', '0').replaceAll(/[IL]/gu, '1');
  const octets = fromText(digits, base32);
  if (octets === undefined || octets.length < headBytes + checkBytes) return { ok: false, sentence: typo };
  const body = octets.subarray(0, -checkBytes);
  const check = octets.subarray(-checkBytes);
  if (!crc32(body).every((octet, i) => octet === check[i])) return { ok: false, sentence: typo };
  if (body[0] !== version) return { ok: false, sentence: newer };
  const addresses = addressesIn(body.subarray(headBytes));
  const port = ((body[headBytes - 2] ?? 0) << 8) | (body[headBytes - 1] ?? 0);
  if (addresses === undefined || !allowed(addresses, port)) return { ok: false, sentence: typo };
  return {
    ok: true,
    value: {
      addresses: addresses.map((address) => ipText(address)),
      port,
      token: toText(body.subarray(1, 1 + tokenBytes), base64url),
      pin: toText(body.subarray(1 + tokenBytes, 1 + tokenBytes + pinBytes), base64url),
    },
  };
}

function allowed(addresses: readonly number[][], port: number): boolean {
  const lengths = addresses.every((address) => address.length === 4 || address.length === 16);
  const ported = Number.isInteger(port) && port >= 1 && port <= 65_535;
  return ported && lengths && addresses.length >= 1 && addresses.length <= addressesMax;
}

function addressesIn(octets: Uint8Array): number[][] | undefined {
  const addresses: number[][] = [];
  for (let at = 0; at < octets.length;) {
    const length = octets[at] ?? 0;
    const address = Array.from(octets.subarray(at + 1, at + 1 + length));
    if (length === 0 || address.length !== length) return undefined;
    addresses.push(address);
    at += 1 + length;
  }
  return addresses;
}

/** CRC-32 (IEEE 802.3), big-endian: finds every single wrong character and every swap of two neighbours. */
function crc32(octets: Uint8Array): number[] {
  let crc = 0xffff_ffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
  }
  const value = ~crc >>> 0;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
}
