import { durationMs, rateBps, shareRatio, uplinkKinds } from '@tresse/schema';
import { type DirectionSpec, plainDirection } from '@tresse/sim';
import { z } from 'zod';

/** Packets that take a longer way: which share of them, and by how much. */
const reorder = z.strictObject({ share: shareRatio, by: durationMs });

/** What a direction of a line may suffer from; all of it may also change while it runs. */
export const impairments = {
  delay: durationMs.optional(),
  jitter: durationMs.optional(),
  loss: shareRatio.optional(),
  queue: durationMs.optional(),
  reorder: reorder.optional(),
};

type Impairments = z.output<z.ZodObject<typeof impairments>>;

const direction = z.union(
  [rateBps.transform((rate) => ({ rate })), z.strictObject({ rate: rateBps, ...impairments })],
  {
    error: 'expected a rate like "8 Mbit/s", or {rate, delay, jitter, loss, queue, reorder}',
  },
);

/** Becomes the name of the interface in the box, too. */
const lineName = z
  .string()
  .regex(/^[a-z][a-z0-9]{0,11}$/u, 'a line is named by at most 12 small letters and digits, a letter first');

/** IPv6 needs links that carry this much (RFC 8200); IPv4 would do with less. */
const mtuMin = 1_280;
export const mtu = z.number().int().min(mtuMin).max(1_500);

export const line = z
  .strictObject({
    name: lineName,
    kind: z.enum(uplinkKinds),
    /** These hold for both directions; a direction may have its own. */
    ...impairments,
    down: direction,
    up: direction,
    /** Of the interfaces at both ends. */
    mtu: mtu.optional(),
    /** Larger packets vanish on the way, and nobody is told. */
    mtuHole: mtu.optional(),
    /** The operator ends every TCP connection of its subscriber, acknowledges by itself, and begins another one. */
    proxy: z.literal(true).optional(),
    /** The operator's address translation forgets a TCP connection that was idle for so long, and then drops its packets silently. */
    nat: z.strictObject({ timeout: durationMs.optional() }).optional(),
    /** Another line: both hang on its interface of the box, in one subnet. */
    nic: lineName.optional(),
    /** The line has IPv6 beside IPv4; `only`: the box uses nothing else there. */
    ipv6: z.union([z.literal(true), z.literal('only')]).optional(),
  })
  .transform((given): LineSpec => {
    const {
      name,
      kind,
      down,
      up,
      mtuHole: _6,
      nat,
      delay: _1,
      jitter: _2,
      loss: _3,
      queue: _4,
      reorder: _5,
      ...rest
    } = given;
    const both = linkChange(given);
    const spec = (own: z.output<typeof direction>): DirectionSpec => ({
      rateBps: own.rate,
      delayMs: 0,
      ...plainDirection,
      ...both,
      ...linkChange(own),
    });
    const natTimeoutMs = nat === undefined ? {} : { nat: { timeoutMs: nat.timeout } };
    return { name, kind, down: spec(down), up: spec(up), ...rest, ...natTimeoutMs };
  });

/** One emulated line, in the units of the link model. */
export interface LineSpec {
  readonly name: string;
  readonly kind: string;
  readonly down: DirectionSpec;
  readonly up: DirectionSpec;
  /** Of the interfaces at both ends; 1,500 where absent. */
  readonly mtu?: number | undefined;
  /** Whether the operator has a transparent TCP proxy. */
  readonly proxy?: true | undefined;
  /** The operator's address translation drops what it does not know; after so long it knows an idle connection no more. */
  readonly nat?: { readonly timeoutMs: number | undefined };
  /** The line whose interface of the box it shares. */
  readonly nic?: string | undefined;
  readonly ipv6?: true | 'only' | undefined;
}

/** The link model's properties of what was given, and no others. */
export function linkChange(
  given: Partial<Impairments> & { rate?: number | undefined; mtuHole?: number | undefined },
): Partial<DirectionSpec> {
  const { rate, delay, jitter, loss, queue, reorder: stray, mtuHole } = given;
  const change = {
    rateBps: rate,
    delayMs: delay,
    jitterMs: jitter,
    lossRatio: loss,
    queueMs: queue,
    reorderRatio: stray?.share,
    reorderMs: stray?.by,
    holeBytes: mtuHole,
  };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
