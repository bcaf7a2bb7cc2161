import { rateBps } from '@tresse/schema';
import { z } from 'zod';

import type { UdpPolicy } from '../emulator/index.ts';

const portMax = 0xffff;
const everyPort = [0, portMax] as const;

/** Ports of servers as `1024-65535`. */
const ports = z
  .string()
  .regex(/^\d{1,5}-\d{1,5}$/u, 'expected ports as "1024-65535"')
  .transform((text): [number, number] => {
    const [first = 0, last = 0] = text.split('-').map(Number);
    return [first, last];
  })
  .refine(([first, last]) => first <= last && last <= portMax, { error: 'expected ports as "1024-65535"' });

const limited = z
  .strictObject({ limit: rateBps.optional(), ports: ports.default([...everyPort]) })
  .transform(({ limit = 0, ports: meant }): UdpPolicy => ({ rateBps: limit, ports: meant }));

/** What an operator lets through of UDP: `free`, `blocked`, so much of it, or what does not go to these ports of servers. */
export const udpPassage = z.union([
  z.literal('free').transform(() => 'free' as const),
  z.literal('blocked').transform((): UdpPolicy => ({ rateBps: 0, ports: everyPort })),
  limited,
]);

/** For people: what becomes of the line's UDP. */
export function udpPassageText(passage: z.output<typeof udpPassage>): string {
  if (passage === 'free') return 'passes UDP again';
  const { rateBps: rate, ports: meant } = passage;
  const [first, last] = meant;
  const which = first === 0 && last === portMax ? '' : ` to ports ${first} to ${last}`;
  return rate === 0 ? `passes no UDP${which}` : `passes ${rate / 1e6} Mbit/s of UDP${which}`;
}
