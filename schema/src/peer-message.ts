import { z } from 'zod';

import { ipCidr, port } from './address.ts';
import { clients, lanTarget, publicationsMax } from './publication.ts';

/** This end stops; the session is over. */
const bye = z.object({
  kind: z.literal('bye'),
  /** For people. */
  reason: z.string().max(200),
});

/** Which families the relay can reach the internet by; said when a session begins, and when it changes. */
const egress = z.object({ kind: z.literal('egress'), ipv4: z.boolean(), ipv6: z.boolean() });

/** The mtu a tunnel may have, octets: what every IPv4 host takes, and what fits a datagram. */
const tunnelMtuMin = 576;
const tunnelMtuMax = 9_000;

/**
 * What the box is called inside the tunnel, and how large the packets in it may be; said when a session begins, before `egress`. A relay
 * that does not say it carries TCP alone.
 */
const tunnel = z.object({
  kind: z.literal('tunnel'),
  ipv4: z.ipv4(),
  ipv6: z.ipv6().optional(),
  mtu: z.int().min(tunnelMtuMin).max(tunnelMtuMax),
});

/** Ports of the relay that lead to the LAN of this box, all of them; said when a session begins and when they change. */
const published = z.object({
  kind: z.literal('published'),
  ports: z
    .array(
      z.object({
        protocol: z.enum(['tcp', 'udp']),
        port,
        to: z.array(lanTarget).min(1).max(2),
        from: z.array(ipCidr),
        clients,
      }),
    )
    .max(2 * publicationsMax),
});

/**
 * Networks with hosts that the relay may lead ports to, and those that may be reached from networks behind it; said by the box when a session begins and when they
 * change.
 */
const lan = z.object({
  kind: z.literal('lan'),
  networks: z.array(ipCidr).max(64),
  reachable: z.array(ipCidr).max(64).default([]),
});

/** Networks behind the relay that hosts of the LAN reach through it, all of them; said when a session begins. */
const routes = z.object({ kind: z.literal('routes'), networks: z.array(ipCidr).max(64) });

/** What a daemon says to the other on stream 0, as JSON. Kinds this version does not know are ignored. */
export const peerMessage = z.discriminatedUnion('kind', [bye, egress, tunnel, published, lan, routes]);
export type TunnelMessage = z.infer<typeof tunnel>;
export type PublishedMessage = z.infer<typeof published>;
export type PeerMessage = z.infer<typeof peerMessage>;
