import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

import type { Identity } from './identity.ts';

/** From the first byte to the end of a handshake, hello included. */
export const handshakeTimeoutMs = 5_000;

/** RFC 8446 7.5; a new layout of the 40 octets would be a new label. */
const exporterLabel = 'EXPORTER-tresse-v1';
const kidBytes = 8;
const secretBytes = 32;

/** What both sides of a handshake ask of TLS. The pin is checked by us, since nothing in the certificate but its key counts. */
interface TlsSettings extends SecureContextOptions {
  readonly rejectUnauthorized: false;
  readonly ALPNProtocols: string[];
}

/** The settings of either side for an identity. */
export function tlsSettings(identity: Identity): TlsSettings {
  return {
    key: identity.keyPem,
    cert: identity.certificatePem,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    rejectUnauthorized: false,
    ALPNProtocols: ['tresse/1'],
    // Post-quantum where both sides have it.
    ecdhCurve: 'X25519MLKEM768:X25519',
    // A resumed connection shows no certificate, and so no pin.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/** The part of a TLS socket that exports keying material. */
interface Exporter {
  exportKeyingMaterial(length: number, label: string, context: Buffer): Buffer;
}

/** Another generation gives another key; of many one fits, unless what is asked for cannot be. */
const generationsMax = 4_096;

/**
 * The relay's choice: the first generation from `from` on whose kid `fits`. Returns it with the kid and secret, or undefined when
 * none does.
 */
export function chooseKeys(
  socket: Exporter,
  from: number,
  fits: (kid: Uint8Array) => boolean,
): { generation: number; kid: Uint8Array; secret: Uint8Array } | undefined {
  for (let i = 0; i < generationsMax; i++) {
    const generation = (from + i) % 2 ** 32;
    const keys = exportKeys(socket, generation);
    if (fits(keys.kid)) return { generation, ...keys };
    keys.secret.fill(0);
  }
  return undefined;
}

/** The kid and the secret both sides take from a finished handshake, for the generation the relay told. */
export function exportKeys(socket: Exporter, generation: number): { kid: Uint8Array; secret: Uint8Array } {
  const context = Buffer.alloc(4);
  context.writeUInt32BE(generation);
  const material = new Uint8Array(socket.exportKeyingMaterial(kidBytes + secretBytes, exporterLabel, context));
  const keys = { kid: material.slice(0, kidBytes), secret: material.slice(kidBytes) };
  material.fill(0);
  return keys;
}
