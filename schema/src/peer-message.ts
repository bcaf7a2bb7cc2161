import { z } from 'zod';

/** This end stops; the session is over. */
const bye = z.object({
  kind: z.literal('bye'),
  /** For people. */
  reason: z.string().max(200),
});

/** Which families the relay can reach the internet by; said when a session begins, and when it changes. */
const egress = z.object({ kind: z.literal('egress'), ipv4: z.boolean(), ipv6: z.boolean() });

/** What a daemon says to the other on stream 0, as JSON. Kinds this version does not know are ignored. */
export const peerMessage = z.discriminatedUnion('kind', [bye, egress]);
export type PeerMessage = z.infer<typeof peerMessage>;
