import type { BoxConfig, Family } from '@tresse/schema';

/**
 * What becomes of new TCP connections of the LAN: carried by the relay, sent straight out of the best uplink, or refused at
 * once, so that the host can try something else.
 */
export type Treatment = 'bond' | 'direct' | 'refuse';

/** The treatment of each family. */
export type Treatments = Readonly<Record<Family, Treatment>>;

/** What the treatment goes by. */
export interface Situation {
  /** Whether the relay is reached, or was until a moment ago. */
  readonly reached: boolean;
  /** Families the relay can reach the internet by. */
  readonly egress: Readonly<Record<Family, boolean>>;
  /** Families for which there is an uplink that can send, and a machine that forwards. */
  readonly able: Readonly<Record<Family, boolean>>;
}

/**
 * The treatment of new connections. Where the relay has no IPv6 it is refused and not sent directly: hosts fall back to
 * IPv4 within milliseconds and keep the bond's address and sum. IPv4 needs no such care: a relay without it resets streams.
 */
export function treat(withoutRelay: BoxConfig['withoutRelay'], { reached, egress, able }: Situation): Treatments {
  const direct = (family: Family): Treatment => (withoutRelay === 'direct' && able[family] ? 'direct' : 'refuse');
  if (!reached) return { 4: direct(4), 6: direct(6) };
  return { 4: 'bond', 6: egress[6] ? 'bond' : 'refuse' };
}

/** The situation at the start: the relay counts as reached for a few seconds, and nothing is known of its IPv6. */
export const beforeAnySession: Situation = {
  reached: true,
  egress: { 4: true, 6: false },
  able: { 4: false, 6: false },
};
