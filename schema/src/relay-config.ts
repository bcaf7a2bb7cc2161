import { z } from 'zod';

import { ipv4Cidr, ipv4Host, port, relayPort } from './address.ts';
import { pin } from './pin.ts';

const knownBox = z.strictObject({
  name: z.string().min(1).max(64),
  pin,
});

/** The schema of relay.yaml. */
export const relayConfig = z
  .strictObject({
    listen: z
      .strictObject({
        addresses: z
          .array(z.union([z.literal('any'), ipv4Host]))
          .min(1)
          .default(['any']),
        port: port.default(relayPort),
      })
      .prefault({}),
    boxes: z.array(knownBox).default([]),
    allowPrivate: z.array(ipv4Cidr).default([]),
  })
  .superRefine((config, context) => {
    for (const [index, box] of config.boxes.entries()) {
      for (const key of ['name', 'pin'] as const) {
        if (!config.boxes.slice(0, index).some((earlier) => earlier[key] === box[key])) continue;
        context.addIssue({
          code: 'custom',
          path: ['boxes', index, key],
          message: `two boxes have the ${key} "${box[key]}"`,
        });
      }
    }
  });

/** relay.yaml as the daemon uses it. */
export type RelayConfig = z.infer<typeof relayConfig>;
