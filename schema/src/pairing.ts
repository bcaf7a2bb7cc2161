import { z } from 'zod';

import { ipHost, port } from './address.ts';
import { pin } from './pin.ts';

/** What boxes are called at a relay when they are paired. */
export const boxName = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/u, {
  error: 'not a name (1 to 64 of a-z, 0-9, "-", "_", "."; a letter or digit first)',
});

/** What a box keeps of its relay (`pairing.json` in its state directory). Keys of later versions are ignored. */
export const pairing = z.object({
  addresses: z.array(ipHost).min(1).max(8),
  port,
  pin,
  /** What the relay calls this box. */
  name: z.string().max(64),
});
/** See {@link pairing}. */
export type Pairing = z.infer<typeof pairing>;

const timeMs = z.number().min(0);

/**
 * What a relay keeps of its paired boxes (`boxes.json` in its state directory); times are milliseconds since 1970 by its own
 * clock. One file, so that a token is used and its box is known in one step.
 */
export const boxRegister = z.object({
  version: z.literal(1),
  boxes: z.array(
    z.object({
      name: boxName,
      pin,
      sinceMs: timeMs,
      lastSeenMs: timeMs.optional(),
      address: z.string().max(64).optional(),
    }),
  ),
  /** So that a box that was put out is told so. */
  revoked: z.array(z.object({ name: boxName, pin, atMs: timeMs })),
  tokens: z.array(
    z.object({
      /** base64url(SHA-256 of the token's 16 octets). */
      hash: z.string().max(64),
      /** What its box is to be called, where that was said. */
      name: boxName.optional(),
      expiresAtMs: timeMs,
      usedBy: pin.optional(),
    }),
  ),
});
/** See {@link boxRegister}. */
export type BoxRegister = z.infer<typeof boxRegister>;
