import { z } from 'zod';

import { ipCidr, ipHost, port, relayPort } from './address.ts';
import { pin } from './pin.ts';
import { portClash, publication, publicationsMax } from './publication.ts';
import { boxRoute, overlap, routesMax } from './route.ts';

const knownBox = z.strictObject({
  name: z.string().min(1).max(64).meta({
    title: '1 to 64 characters',
    description: 'How the box is called in status and log; each box has a name of its own.',
    example: 'home',
  }),
  pin: pin.meta({ description: 'Its key, as `tresse box init` printed it; each key once.' }),
});

/** More threads than any server has use for: each is a core's worth of traffic, several Gbit/s. */
const workersMax = 64;

/** The schema of relay.yaml. */
export const relayConfig = z
  .strictObject({
    listen: z
      .strictObject({
        addresses: z
          .array(z.union([z.literal('any'), ipHost]))
          .min(1)
          .default(['any'])
          .meta({
            description: 'The addresses where it listens. `any` is every one of the machine.',
            example: ['any'],
          }),
        port: port.default(relayPort).meta({
          description:
            'The one port: TCP for handshakes and strands, UDP for the tunnel. Boxes must be able to reach it.',
          example: relayPort,
        }),
      })
      .prefault({})
      .meta({ description: 'Where boxes open their connections to.' }),
    workers: z
      .union([z.literal('auto'), z.int().min(1).max(workersMax)])
      .default('auto')
      .meta({
        title: '`auto`, or 1 to 64',
        description:
          "Threads that carry the boxes' traffic; a box is in one of them. `auto` is one for each core, four at most: one " +
          'carries several Gbit/s.',
        example: 'auto',
      }),
    tunnel: z
      .boolean()
      .default(true)
      .meta({
        description:
          'Whether UDP and everything else that is no TCP goes through this relay, by its UDP port of the same number. The relay then passes packets on between ' +
          'devices of its own and the internet, behind its address. `false` leaves the network of the machine untouched: boxes send such things directly.',
        example: true,
      }),
    public: z
      .array(ipHost)
      .min(1)
      .max(8)
      .optional()
      .meta({
        description:
          'Where boxes find this relay; pairing codes carry these addresses. Left out, they are the public addresses of this ' +
          'machine. Behind a router it is the address of the router, which must hand the port on.',
        example: ['203.0.113.1', '2001:db8::1'],
      }),
    boxes: z
      .array(knownBox)
      .default([])
      .meta({
        description:
          'Boxes that may connect, beside those that were paired by `tresse relay pair`. A relay without any box runs and lets ' +
          'nobody in.',
      }),
    allowPrivate: z
      .array(ipCidr)
      .default([])
      .meta({
        description:
          'Private networks behind this relay that boxes may reach. Everything private, and the relay itself, is refused ' +
          'otherwise.',
        example: ['10.20.0.0/16'],
      }),
    routes: z.array(boxRoute).max(routesMax).default([]).meta({
      description:
        "Routes between networks behind this relay and those of boxes' LANs. They need the tunnel, but for TCP from the LAN.",
    }),
    publish: z
      .array(publication)
      .max(publicationsMax)
      .default([])
      .meta({
        description:
          'Ports of this relay that lead to hosts behind the boxes, beside those of `tresse relay publish`. TCP goes as bonded streams, UDP ' +
          'through the tunnel.',
      }),
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
    const { listen, tunnel, publish, routes } = config;
    for (const [index, one] of routes.entries()) {
      const say = (key: string, message: string): void => {
        context.addIssue({ code: 'custom', path: ['routes', index, key], message });
      };
      const earlier = routes.slice(0, index);
      if (earlier.some(({ box }) => box === one.box)) say('box', `two routes are for the box "${one.box}"`);
      const others = [...earlier.flatMap(({ lan }) => lan), ...routes.flatMap(({ networks }) => networks)];
      const double = one.lan.flatMap((network) => others.filter((other) => overlap(network, other)))[0];
      if (double !== undefined) say('lan', `${double} would be in two places`);
    }
    const own = { port: listen.port, protocol: tunnel ? 'both' : 'tcp' } as const;
    for (const [index, one] of publish.entries()) {
      const say = (key: string, message: string): void => {
        context.addIssue({ code: 'custom', path: ['publish', index, key], message });
      };
      const taken = portClash(one, own);
      if (taken !== undefined) say('port', `${taken} is the relay's own`);
      const double = publish.slice(0, index).flatMap((earlier) => portClash(one, earlier) ?? [])[0];
      if (double !== undefined) say('port', `${double} is published twice`);
      if (one.protocol !== 'tcp' && !tunnel)
        say('protocol', 'UDP needs the tunnel, which is switched off ("tunnel: false")');
    }
  });

/** relay.yaml as the daemon uses it. */
export type RelayConfig = z.infer<typeof relayConfig>;
