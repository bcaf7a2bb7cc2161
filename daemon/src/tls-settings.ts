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

/** The kid and the secret both sides take from a finished handshake, for the generation the relay told. */
export function exportKeys(socket: Exporter, generation: number): { kid: Uint8Array; secret: Uint8Array } {
  const context = Buffer.alloc(4);
  context.writeUInt32BE(generation);
  const material = new Uint8Array(socket.exportKeyingMaterial(kidBytes + secretBytes, exporterLabel, context));
  return { kid: material.slice(0, kidBytes), secret: material.slice(kidBytes) };
}
