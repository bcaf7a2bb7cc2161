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

const uplink = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,31}$/u, { error: 'not a name (1 to 32 of a-z, 0-9, "-", "_", ".")' }),
  interface: interfaceName,
  gateway: z.union([z.literal('auto'), ipv4Host]).default('auto'),
  address: z.union([z.literal('auto'), ipv4Host]).default('auto'),
  kind: z.enum(uplinkKinds).default('other'),
  metered: z.boolean().default(false),
  enabled: z.boolean().default(true),
});

/** One internet line as configured. */
export type UplinkConfig = z.infer<typeof uplink>;

/** The schema of box.yaml. */
export const boxConfig = z
  .strictObject({
    uplinks: z.array(uplink).min(1).max(uplinksMax),
    lan: z.strictObject({ interfaces: z.array(interfaceName).min(1) }),
    relay: z.strictObject({
      addresses: z.array(ipv4Host).min(1).max(8),
      port: port.default(relayPort),
      pin,
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
