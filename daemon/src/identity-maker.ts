import { webcrypto } from 'node:crypto';

/** Wide enough for every wrong clock; they decide nothing here, but tools that show the certificate should not alarm. */
const notBefore = '2000-01-01T00:00:00Z';
const notAfter = '2199-12-31T23:59:59Z';

/** The dates a certificate is to carry. */
export interface CertificateDates {
  readonly notBefore: string;
  readonly notAfter: string;
}

/** Makes an Ed25519 key and a self-signed certificate for it, both as PEM. */
export async function makeIdentity(
  name: string,
  dates: CertificateDates = { notBefore, notAfter },
): Promise<{ keyPem: string; certificatePem: string }> {
  // 80 ms and 20 MB, so not loaded by a daemon that has its identity; tsyringe inside wants the first before the second.
  await import('reflect-metadata');
  const { X509CertificateGenerator } = await import('@peculiar/x509');
  // A pair for Ed25519; the types do not tell it from algorithms with one key.
  const keys = (await webcrypto.subtle.generateKey('Ed25519', true, [
    'sign',
    'verify',
  ])) as unknown as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: '01',
      name: `CN=${name}`,
      notBefore: new Date(dates.notBefore),
      notAfter: new Date(dates.notAfter),
      signingAlgorithm: { name: 'Ed25519' },
      keys,
    },
    webcrypto,
  );
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { keyPem: pem('PRIVATE KEY', der), certificatePem: `${certificate.toString('pem').trim()}\n` };
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/gu) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
