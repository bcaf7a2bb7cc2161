import { z } from 'zod';

import { interfaceName, ipCidr, ipGateway, ipHost, port, relayPort } from './address.ts';
import { ipFamily } from './ip.ts';
import { packetWishes } from './packet-wishes.ts';
import { pin } from './pin.ts';
import { rateBps } from './quantity.ts';

/** Technologies of an uplink. */
export const uplinkKinds = [
  'adsl',
  'vdsl',
  'cable',
  'fibre',
  '4g',
  '5g',
  'satellite',
  'wifi',
  'phone',
  'other',
] as const;

/** A box has at most this many uplinks: policy tables and rule priorities are reserved for them. */
const uplinksMax = 16;

const automatic = z.literal('auto');

/** Below this not even the acknowledgements have room. */
const limitBpsMin = 64_000;
const limit = rateBps.refine((bps) => bps >= limitBpsMin, { error: 'a limit is at least 64 kbit/s' }).optional();
const limitWords = { title: 'a rate, as in `45 Mbit/s` (bit/s, kbit/s, Mbit/s, Gbit/s)' };

const uplink = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,31}$/u, { error: 'not a name (1 to 32 of a-z, 0-9, "-", "_", ".")' })
    .meta({
      title: '1 to 32 of a-z, 0-9, "-", "_", "."; a letter or digit first',
      description: 'How the line is called in status and log; each line has a name of its own.',
      example: 'dsl',
    }),
  interface: interfaceName.meta({ description: 'Where the line is.', example: 'eth1' }),
  gateway: z
    .union([automatic, ipGateway, z.array(ipGateway).min(1).max(2)])
    .default('auto')
    .meta({
      description:
        "The line's next router, or one of each family. `auto` takes them from the main table's default routes by this " +
        'interface. Point-to-point interfaces (ppp0, wwan0) need none.',
      example: '192.168.8.1',
    }),
  address: z
    .union([automatic, ipHost, z.array(ipHost).min(1).max(2)])
    .default('auto')
    .meta({
      description:
        'The source address of what leaves by this line, or one of each family; a family without one is then not used here. ' +
        'It must be given where two lines share an interface, or a line and the LAN do. `auto` takes the first IPv4 address ' +
        'and a lasting IPv6 one, never a temporary one.',
      example: '192.168.8.100',
    }),
  kind: z.enum(uplinkKinds).default('other').meta({
    description: 'What the line is made of. For people: nothing depends on it yet.',
    example: 'adsl',
  }),
  metered: z
    .boolean()
    .default(false)
    .meta({
      description:
        'Whether its bytes cost. A metered line carries only while no other line does, at full rate then; until then it is ' +
        'probed seldom. It is used last for handshakes and for what does not go through the relay.',
      example: true,
    }),
  rateLimit: z
    .strictObject({
      down: limit.meta({ ...limitWords, description: 'Towards the box.', example: '45 Mbit/s' }),
      up: limit.meta({ ...limitWords, description: 'Away from the box.', example: '9 Mbit/s' }),
    })
    .optional()
    .meta({
      description:
        'What is put on the line at most, by box and relay, counted with the headers of TCP and IP. A little less than the ' +
        'line carries keeps the queue out of a modem that has a long one.',
    }),
  enabled: z.boolean().default(true).meta({ description: '`false` leaves the line out.', example: false }),
});

/** The addresses an uplink's `address` or `gateway` names: none, one, or one of each family. */
export const given = (addresses: string | readonly string[]): readonly string[] =>
  addresses === 'auto' ? [] : [addresses].flat();

const sameFamily = (a: string, b: string): boolean => ipFamily(a) === ipFamily(b);

/** One internet line as configured. */
export type UplinkConfig = z.infer<typeof uplink>;

const relay = z
  .strictObject({
    addresses: z
      .array(ipHost)
      .min(1)
      .max(8)
      .meta({
        description: 'Where the relay is. Each line uses the addresses of a family it has.',
        example: ['203.0.113.1'],
      }),
    port: port.default(relayPort).meta({ description: 'Its TCP port.', example: relayPort }),
    pin: pin.meta({ description: 'Its key, as `tresse relay init` printed it. Anybody else there is refused.' }),
  })
  .meta({
    description:
      'The other end of the bond. Left out, it is the relay this box was paired with by `tresse box pair CODE`; given, it goes ' +
      'before the pairing. Without either, the box goes on as while its relay is not reached.',
  });

/** Where a relay is and how it is known. */
export type RelayPlace = z.infer<typeof relay>;

/** The schema of box.yaml. Without `relay` the box goes to the one it is paired with. */
export const boxConfig = z
  .strictObject({
    uplinks: z
      .array(uplink)
      .min(1)
      .max(uplinksMax)
      .meta({
        description: 'The internet lines of this box.',
        example: [
          { name: 'dsl', interface: 'eth1', gateway: 'auto', kind: 'adsl' },
          { name: 'lte', interface: 'eth2', gateway: '192.168.8.1', kind: '4g', metered: true },
        ],
      }),
    lan: z
      .strictObject({
        interfaces: z
          .array(interfaceName)
          .min(1)
          .meta({ description: 'Hosts behind these interfaces are bonded.', example: ['eth0'] }),
      })
      .meta({ description: 'The side of the household.' }),
    withoutRelay: z
      .enum(['direct', 'refuse'])
      .default('direct')
      .meta({
        description:
          'What new TCP connections do while the relay is not reached: leave by the best line directly, behind its address, ' +
          'or be refused at once.',
        example: 'direct',
      }),
    publishable: z
      .union([
        z.enum(['lan', 'none']),
        z
          .array(z.union([ipCidr, ipHost]))
          .min(1)
          .max(64),
      ])
      .default('lan')
      .meta({
        title: '`lan`, `none`, or a list of IP networks and addresses',
        description:
          'Hosts to which the relay may lead ports of its own. `lan` are those of the networks of the LAN interfaces, but for the box ' +
          "itself and the lines' gateways; a list names hosts and networks, and the box itself where an address of its own stands in it.",
        example: ['192.168.7.10', '192.168.50.0/24'],
      }),
    reachable: z
      .array(ipCidr)
      .max(32)
      .default([])
      .meta({
        description:
          'Networks of the LAN, the box itself left out, whose hosts may be reached from networks behind the relay, where that routes them here (`routes` in its relay.yaml).',
        example: ['192.168.7.0/24'],
      }),
    relay: relay.optional(),
    packets: packetWishes.default({ bulk: 'earliest', realtimeCopies: 'auto' }).meta({
      description: 'What becomes of UDP, pings and everything else that is no TCP, in the tunnel to the relay.',
    }),
  })
  .superRefine((config, context) => {
    for (const [index, one] of config.uplinks.entries()) {
      const earlier = config.uplinks.slice(0, index);
      const say = (key: string, message: string): void => {
        context.addIssue({ code: 'custom', path: ['uplinks', index, key], message });
      };
      if (earlier.some((e) => e.name === one.name)) say('name', `two uplinks are named "${one.name}"`);
      const shared = earlier.filter((e) => e.interface === one.interface);
      const own = given(one.address);
      if (
        shared.some((e) => own.length === 0 || e.address === 'auto' || given(e.address).some((a) => own.includes(a)))
      ) {
        say(
          'interface',
          `${one.interface} is used by two uplinks: give each its own "address", so that they can be told apart`,
        );
      }
      for (const key of ['address', 'gateway'] as const) {
        const [first, second] = given(one[key]);
        if (first === undefined || second === undefined || !sameFamily(first, second)) continue;
        say(key, `${first} and ${second} are of one family: one of each is taken`);
      }
      const homeless = given(one.gateway).find((gateway) => !own.some((address) => sameFamily(address, gateway)));
      if (homeless !== undefined && own.length > 0) {
        say('gateway', `${homeless} is of a family of which this uplink has no "address"`);
      }
      if (config.lan.interfaces.includes(one.interface) && own.length === 0) {
        say('interface', `${one.interface} is a LAN interface too: give this uplink its "address"`);
      }
    }
    for (const [index, name] of config.lan.interfaces.entries()) {
      if (config.lan.interfaces.indexOf(name) === index) continue;
      context.addIssue({ code: 'custom', path: ['lan', 'interfaces', index], message: `${name} is named twice` });
    }
    const relayAddresses = config.relay?.addresses ?? [];
    for (const [index, address] of relayAddresses.entries()) {
      if (relayAddresses.indexOf(address) === index) continue;
      context.addIssue({ code: 'custom', path: ['relay', 'addresses', index], message: `${address} is named twice` });
    }
  });

/** box.yaml as it is written. */
export type BoxFile = z.infer<typeof boxConfig>;

/** What a box that runs goes by: box.yaml with its relay, from the file or from the pairing. */
export interface BoxConfig extends BoxFile {
  relay: RelayPlace;
}
