import { durationMs, sizeBytes } from '@tresse/schema';
import { z } from 'zod';

const bytes = sizeBytes.transform(Math.round);
const port = z.int().min(1).max(65_535);

/** A port of the relay that leads to the LAN host: its web server's for TCP, what sends datagrams back for UDP. */
export const publishedPort = z.strictObject({
  port,
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  /** Networks clients may come from; none: everywhere. */
  from: z.array(z.string()).default([]),
});

const visitLimits = z.strictObject({
  /** Of TCP: the rate, of the sum of the lines' rates upwards. */
  ofLinesMin: z.number().positive().optional(),
  /** Of TCP: from the client's connect to the last byte. */
  wholeMsMax: z.number().positive().optional(),
  /** Of UDP: of the datagrams sent. */
  answeredMin: z.number().positive().optional(),
});

/** The internet host comes to a published port of the relay: fetches bytes from the LAN host's web server, or sends it datagrams that come back. */
export const visitStep = z.strictObject({
  kind: z.literal('visit'),
  name: z.string().optional(),
  port,
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  /** By which of the relay's addresses. */
  to: z.enum(['ipv4', 'ipv6']).default('ipv4'),
  bytes: bytes.default(30_000),
  /** Of UDP: how many datagrams, and how often one is sent. */
  count: z.int().min(1).max(10_000).default(50),
  every: durationMs.default(20),
  /** How it has to end: with all bytes or datagrams, or without any. */
  ends: z.enum(['whole', 'refused']).default('whole'),
  limits: visitLimits.default({}),
  short: z
    .strictObject({
      skip: z.literal(true).optional(),
      bytes: bytes.optional(),
      count: z.int().min(1).optional(),
      limits: visitLimits.optional(),
    })
    .default({}),
});

export type PublishedSpec = z.output<typeof publishedPort>;
export type VisitStep = z.output<typeof visitStep>;

/** The step with fewer bytes or datagrams. */
export function shortVisit(full: VisitStep): VisitStep {
  const { bytes: fewer = full.bytes, count = full.count, limits = full.limits } = full.short;
  return { ...full, bytes: fewer, count, limits };
}
