import { createHash } from 'node:crypto';

/** What is kept of a pairing code's token: whoever reads the file gets in nowhere. Tokens are random, so no salt is needed. */
export function hashOfToken(token: string): string {
  return createHash('sha256').update(Buffer.from(token, 'base64url')).digest('base64url');
}
