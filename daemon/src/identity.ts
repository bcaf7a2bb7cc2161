import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';

import { sentenceOf, UserError } from '@tresse/kit';

import { pinOfKey } from './pin.ts';
import type { StateDirectory, StateReader } from './state-directory.ts';

/** A daemon's lasting key pair with the certificate that carries it in TLS. */
export interface Identity {
  readonly keyPem: string;
  readonly certificatePem: string;
  /** How the other end knows it. */
  readonly pin: string;
}

const fileName = 'identity.pem';

/** The identity in a state directory; undefined when there is none. Throws UserError `IDENTITY_BROKEN`, `STATE_UNREADABLE`. */
function loadIdentity(directory: StateReader): Identity | undefined {
  const text = directory.read(fileName);
  if (text === undefined) return undefined;
  try {
    const [keyPem = '', certificatePem = ''] = text.match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----\n/gu) ?? [];
    const publicKey = createPublicKey(createPrivateKey(keyPem));
    const pin = pinOfKey(publicKey);
    if (pinOfKey(new X509Certificate(certificatePem).publicKey) !== pin) {
      throw new UserError('IDENTITY_BROKEN', 'its key and its certificate do not belong together');
    }
    return { keyPem, certificatePem, pin };
  } catch (error) {
    throw new UserError(
      'IDENTITY_BROKEN',
      `${directory.file(fileName)} is damaged (${sentenceOf(error)}): put it back from a copy, or remove it and make a new ` +
        `identity by init; the other end must then be told the new pin.`,
      error,
    );
  }
}

/** The identity in a state directory. Throws as {@link loadIdentity}, and UserError `IDENTITY_MISSING`. */
export function requireIdentity(directory: StateReader, initCommand: string): Identity {
  const identity = loadIdentity(directory);
  if (identity) return identity;
  throw new UserError(
    'IDENTITY_MISSING',
    `There is no identity in ${directory.path}: make one by "${initCommand} --state ${directory.path}".`,
  );
}

/**
 * The identity in a state directory, made and written (mode 0600) if there is none. Returns it with whether it is new. Throws
 * as {@link loadIdentity}, and UserError `STATE_UNWRITABLE`.
 */
export async function ensureIdentity(directory: StateDirectory, name: string): Promise<Identity & { isNew: boolean }> {
  const found = loadIdentity(directory);
  if (found) return { ...found, isNew: false };
  const { makeIdentity } = await import('./identity-maker.ts');
  const { keyPem, certificatePem } = await makeIdentity(name);
  // Another command may have made one meanwhile: the first counts.
  const isNew = directory.make(fileName, keyPem + certificatePem);
  return { ...requireIdentity(directory, 'tresse init'), isNew };
}
