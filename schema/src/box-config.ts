import { z } from 'zod';

import { interfaceName, ipv4Host, port, relayPort } from './address.ts';
import { pin } from './pin.ts';

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
    .union([automatic, ipv4Host])
    .default('auto')
    .meta({
      description:
        "The line's next router. `auto` takes it from the main table's default route by this interface. Point-to-point " +
        'interfaces (ppp0, wwan0) need none.',
      example: '192.168.8.1',
    }),
  address: z
    .union([automatic, ipv4Host])
    .default('auto')
    .meta({
      description:
        'The source address of what leaves by this line. It must be given where two lines share an interface, or a line and ' +
        'the LAN do.',
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
        'Whether its bytes cost. A metered line is probed seldom, and used last for handshakes and for what does not go ' +
        'through the relay; bulk is not kept off it yet.',
      example: true,
    }),
  enabled: z.boolean().default(true).meta({ description: '`false` leaves the line out.', example: false }),
});

/** One internet line as configured. */
export type UplinkConfig = z.infer<typeof uplink>;

/** The schema of box.yaml. */
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
    relay: z
      .strictObject({
        addresses: z
          .array(ipv4Host)
          .min(1)
          .max(8)
          .meta({
            description: 'Where the relay is. Each line has a path to each of its addresses.',
            example: ['203.0.113.1'],
          }),
        port: port.default(relayPort).meta({ description: 'Its TCP port.', example: relayPort }),
        pin: pin.meta({ description: 'Its key, as `tresse relay init` printed it. Anybody else there is refused.' }),
      })
      .meta({ description: 'The other end of the bond.' }),
  })
  .superRefine((config, context) => {
    for (const [index, one] of config.uplinks.entries()) {
      const earlier = config.uplinks.slice(0, index);
      const say = (key: string, message: string): void => {
        context.addIssue({ code: 'custom', path: ['uplinks', index, key], message });
      };
      if (earlier.some((e) => e.name === one.name)) say('name', `two uplinks are named "${one.name}"`);
      const shared = earlier.filter((e) => e.interface === one.interface);
      if (shared.some((e) => e.address === 'auto' || one.address === 'auto' || e.address === one.address)) {
        say(
          'interface',
          `${one.interface} is used by two uplinks: give each its own "address", so that they can be told apart`,
        );
      }
      if (config.lan.interfaces.includes(one.interface) && one.address === 'auto') {
        say('interface', `${one.interface} is a LAN interface too: give this uplink its "address"`);
      }
    }
    for (const [index, name] of config.lan.interfaces.entries()) {
      if (config.lan.interfaces.indexOf(name) === index) continue;
      context.addIssue({ code: 'custom', path: ['lan', 'interfaces', index], message: `${name} is named twice` });
    }
    for (const [index, address] of config.relay.addresses.entries()) {
      if (config.relay.addresses.indexOf(address) === index) continue;
      context.addIssue({ code: 'custom', path: ['relay', 'addresses', index], message: `${address} is named twice` });
    }
  });

/** box.yaml as the daemon uses it. */
export type BoxConfig = z.infer<typeof boxConfig>;
