import { z } from 'zod';

/** base64url(SHA-256 of the public key's SPKI DER): 32 octets, 43 characters. */
export const pin = z
  .string()
  .regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/u, {
    error: 'not a pin (43 characters, as `tresse relay init` or `tresse box init` prints it)',
  })
  .meta({ title: 'pin: 43 characters that name a public key', example: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU' });
