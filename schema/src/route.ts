import { z } from 'zod';

import { ipCidr } from './address.ts';
import { ipWithin } from './ip.ts';

/** So many routes a relay has at most; each is a few rules. */
export const routesMax = 256;
/** Networks on either side of one. */
const networksMax = 32;

const networks = z.array(ipCidr).max(networksMax);

/** Networks behind a relay and of a box's LAN that know each other. */
export const boxRoute = z.strictObject({
  box: z.string().min(1).max(64).meta({
    title: '1 to 64 characters',
    description: 'The name of the box; one route a box.',
    example: 'home',
  }),
  networks: networks.min(1).meta({
    description:
      'Networks behind this relay that hosts of its LAN reach, TCP and everything else, behind the address this machine has there.',
    example: ['10.20.0.0/16'],
  }),
  lan: networks.default([]).meta({
    description:
      'Networks of its LAN that hosts of these networks reach, by their own addresses, where `reachable` in its box.yaml allows it. This relay must be their way there. ' +
      'No network stands at two boxes.',
    example: ['192.168.7.0/24'],
  }),
});
/** See {@link boxRoute}. */
export type BoxRoute = z.infer<typeof boxRoute>;

/** Whether two networks have addresses in common. */
export const overlap = (a: string, b: string): boolean =>
  ipWithin(a.split('/')[0] ?? '', b) || ipWithin(b.split('/')[0] ?? '', a);
