import type { BoxConfig, Family } from '@tresse/schema';

/**
 * What becomes of new TCP connections of the LAN: carried by the relay, sent straight out of the best uplink, or refused at
 * once, so that the host can try something else.
 */
export type Treatment = 'bond' | 'direct' | 'refuse';

/** The treatment of each family. */
export type Treatments = Readonly<Record<Family, Treatment>>;

/**
 * What becomes of everything of the LAN that is no TCP: through the relay by the tunnel, out of the best uplink, refused, or held back (dropped: who sends it
 * tries again) while it is not known which.
 */
export type PacketTreatment = 'tunnel' | 'direct' | 'refuse' | 'hold';

/** The treatment of each family's packets. */
export type PacketTreatments = Readonly<Record<Family, PacketTreatment>>;

/** Packets where there is no tunnel. */
export const withoutTunnel: PacketTreatments = { 4: 'direct', 6: 'direct' };

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

/** How the tunnel is: the families it has while packets get through, `waiting` while that is not known yet. */
export type TunnelState = Readonly<Record<Family, boolean>> | 'waiting' | 'none';

/**
 * The treatment of packets. Without a tunnel they leave directly. A flow that began directly stays with its line, so nothing begins so in the first moment after the
 * start. A family the tunnel lacks is refused, for the same reason as with {@link treat}.
 */
export function treatPackets(tunnel: TunnelState): PacketTreatments {
  if (tunnel === 'waiting') return { 4: 'hold', 6: 'hold' };
  if (tunnel === 'none' || !tunnel[4]) return withoutTunnel;
  return { 4: 'tunnel', 6: tunnel[6] ? 'tunnel' : 'refuse' };
}

/** The situation at the start: the relay counts as reached for a few seconds, and nothing is known of its IPv6. */
export const beforeAnySession: Situation = {
  reached: true,
  egress: { 4: true, 6: false },
  able: { 4: false, 6: false },
};
