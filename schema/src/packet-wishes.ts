import { z } from 'zod';

/** Ways to lay bulk packets over the lines. */
const bulkSpreads = ['earliest', 'lowest-delay', 'per-flow', 'in-turn', 'everywhere', 'first-only'] as const;
const realtimeCopies = ['auto', 'always', 'never'] as const;

const bulk = z.enum(bulkSpreads);
const copies = z.enum(realtimeCopies);

/** How a box wants its packets to be laid over its lines, both ways, as box.yaml has it. */
export const packetWishes = z.strictObject({
  bulk: bulk.default('earliest').meta({
    description:
      'How UDP transfers are laid over the lines: `earliest` where each packet arrives soonest, `lowest-delay` on the line that ' +
      'answers soonest and has room, `per-flow` each on one line, by chance and rate, `in-turn` on each line in turn, `everywhere` on all lines ' +
      'at once, `first-only` on the first line of this list that works. The relay does the same.',
    example: 'earliest',
  }),
  realtimeCopies: copies.default('auto').meta({
    description:
      'Whether the packets of calls and games go twice, on two lines: `auto` where the line loses packets, shakes or is being filled, ' +
      '`always`, or `never`.',
    example: 'auto',
  }),
});

/** See {@link packetWishes}. */
export type PacketWishes = z.infer<typeof packetWishes>;

/** The same as told in a hello: a name that is not known here is a newer box's, and means what is usual. */
export const toldPacketWishes = z.object({ bulk: bulk.catch('earliest'), realtimeCopies: copies.catch('auto') });
