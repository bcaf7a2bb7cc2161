import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** The pin of a public key: base64url(SHA-256 of its SPKI in DER), 43 characters. */
export function pinOfKey(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}

/**
 * The pin of the peer's key, proved by TLS 1.3's CertificateVerify; undefined when it showed no certificate or one whose key is
 * not Ed25519. Dates and names in the certificate decide nothing: a box has no clock when it starts.
 */
export function pinOfPeer(socket: TLSSocket): string | undefined {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  if (certificate === undefined || certificate.publicKey.asymmetricKeyType !== 'ed25519') return undefined;
  return pinOfKey(certificate.publicKey);
}
