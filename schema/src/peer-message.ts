import { z } from 'zod';

/** What a daemon says to the other on stream 0, as JSON. Kinds this version does not know are ignored. */
export const peerMessage = z.object({
  /** This end stops; the session is over. */
  kind: z.literal('bye'),
  /** For people. */
  reason: z.string().max(200),
});
export type PeerMessage = z.infer<typeof peerMessage>;
