import { sizeBytes } from '@tresse/schema';
import { z } from 'zod';

/** IPsec ESP (RFC 4303): neither TCP nor UDP nor ICMP, and the one that people use. */
const protocolEsp = 50;

/** Something odd between the LAN host and the internet host, which has to be answered. */
export const probeStep = z.strictObject({
  kind: z.literal('probe'),
  name: z.string().optional(),
  /** The way, by ICMP or UDP; a DNS answer of so many `bytes` by UDP; as much UDP there and back; packets of an IP `protocol` there and back. */
  what: z.enum(['traceroute', 'traceroute-udp', 'dns', 'datagrams', 'protocol']),
  to: z.enum(['ipv4', 'ipv6']).default('ipv4'),
  bytes: sizeBytes.transform(Math.round).default(1_000),
  protocol: z.number().int().min(1).max(254).default(protocolEsp),
  count: z.number().int().min(1).max(1_000).default(5),
  short: z.strictObject({ skip: z.literal(true).optional() }).default({}),
});

export type ProbeStep = z.output<typeof probeStep>;
