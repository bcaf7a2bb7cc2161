import { z } from 'zod';

import { port } from './address.ts';
import { boxName } from './pairing.ts';
import { publication } from './publication.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** `POST /v1/pair` at a relay: wishes for a pairing code. */
export const pairRequest = z.strictObject({
  /** What the box is to be called; a free name is found where none is given. */
  name: boxName.optional(),
  validMs: z
    .number()
    .refine((ms) => ms >= minuteMs && ms <= 30 * dayMs, {
      error: 'a pairing code is valid for 1 min at least and 720 h at most',
    })
    .default(60 * minuteMs),
});
/** See {@link pairRequest}. */
export type PairRequest = z.infer<typeof pairRequest>;

/** The answer: a code, good for one box. */
export const pairAnswer = z.object({
  code: z.string(),
  expiresAtMs: z.number(),
  /** Where boxes will look for the relay. */
  addresses: z.array(z.string()),
  port: z.number(),
});
/** See {@link pairAnswer}. */
export type PairAnswer = z.infer<typeof pairAnswer>;

const knownBox = z.object({
  name: z.string(),
  pin: z.string(),
  /** Paired, or written into relay.yaml. */
  origin: z.enum(['paired', 'configured']),
  connected: z.boolean(),
  /** Since when this session is there; only while connected. */
  connectedSinceMs: z.number().optional(),
  /** Milliseconds since 1970 by the relay's clock; missing where it was never there. */
  lastSeenMs: z.number().optional(),
  /** Where its last handshake came from. */
  address: z.string().optional(),
});
/** One box a relay knows. */
export type KnownBox = z.infer<typeof knownBox>;

/** What `GET /v1/boxes` of a relay answers. */
export const boxesAnswer = z.object({ nowMs: z.number(), boxes: z.array(knownBox) });
/** See {@link boxesAnswer}. */
export type BoxesAnswer = z.infer<typeof boxesAnswer>;

/** `POST /v1/boxes/rename` at a relay. */
export const renameRequest = z.strictObject({ from: z.string().min(1).max(64), to: boxName });
/** See {@link renameRequest}. */
export type RenameRequest = z.infer<typeof renameRequest>;

/** `POST /v1/boxes/revoke` at a relay. */
export const revokeRequest = z.strictObject({ name: z.string().min(1).max(64) });
/** See {@link revokeRequest}. */
export type RevokeRequest = z.infer<typeof revokeRequest>;

/** `POST /v1/publish` at a relay. */
export const publishRequest = publication;
/** See {@link publishRequest}. */
export type PublishRequest = z.input<typeof publication>;

/** `POST /v1/unpublish` at a relay: a protocol of a port, or both. */
export const unpublishRequest = z.strictObject({ port, protocol: z.enum(['tcp', 'udp', 'both']).default('both') });
/** See {@link unpublishRequest}. */
export type UnpublishRequest = z.infer<typeof unpublishRequest>;

/** What both daemons answer where something was done and there is nothing to tell. */
export const doneAnswer = z.object({ done: z.literal(true) });

/** What every refusal of the local API is: a code for programs and a sentence for people. */
export const apiRefusal = z.object({ code: z.string(), sentence: z.string() });
