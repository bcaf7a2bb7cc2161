import { z } from 'zod';

import { ipCidr, ipHost, port } from './address.ts';
import { type Family, ipFamily } from './ip.ts';

/** What a port carries: one protocol, or both by the same number. */
const protocols = ['tcp', 'udp', 'both'] as const;
/** Whom the host sees: the client itself, or the box. */
const clientForms = ['shown', 'hidden'] as const;
export const clients = z.enum(clientForms).default('shown');

/** One protocol of a public port. */
export type PortProtocol = 'tcp' | 'udp';

/** So many ports a relay leads to LANs at most: each of TCP is a listener of its own. */
export const publicationsMax = 256;

const shape =
  /^(?:(?<four>[0-9.]+)(?::(?<port4>\d{1,5}))?|\[(?<six>[0-9a-f:.]+)\](?::(?<port6>\d{1,5}))?|(?<bare>[0-9a-f:.]+))$/iu;

interface Parts {
  readonly address: string;
  readonly port: number | undefined;
}

function partsOf(text: string): Parts | undefined {
  const found = shape.exec(text)?.groups;
  const address = ipHost.safeParse(found?.['four'] ?? found?.['six'] ?? found?.['bare']);
  const number = found?.['port4'] ?? found?.['port6'];
  const checked = port.optional().safeParse(number === undefined ? undefined : Number(number));
  return address.success && checked.success ? { address: address.data, port: checked.data } : undefined;
}

const written = (address: string, number: number | undefined): string => {
  const host = address.includes(':') ? `[${address}]` : address;
  return number === undefined ? address : `${host}:${number}`;
};

/** A host of a LAN as `192.168.7.10`, with a port as `192.168.7.10:80` or `[fd00:7::10]:80`. In its one canonical text. */
export const lanTarget = z
  .string()
  .refine((text) => partsOf(text) !== undefined, {
    error: ({ input }) =>
      `"${String(input)}": not a host of a LAN (write it as 192.168.7.10, 192.168.7.10:80, fd00:7::10 or [fd00:7::10]:80)`,
    abort: true,
  })
  .overwrite((text) => {
    const parts = partsOf(text);
    return parts ? written(parts.address, parts.port) : text;
  })
  .meta({ title: 'IP address, and a port where it is another: `192.168.7.10:80` or `[fd00:7::10]:80`' });

/** A host and its port. */
export interface LanHost {
  readonly address: string;
  readonly port: number;
}

/** Where a port leads, by family; a target without a port has the public one. */
export function lanHosts(to: string | readonly string[], publicPort: number): Partial<Record<Family, LanHost>> {
  const hosts: Partial<Record<Family, LanHost>> = {};
  for (const text of [to].flat()) {
    const parts = partsOf(text);
    if (parts) hosts[ipFamily(parts.address)] = { address: parts.address, port: parts.port ?? publicPort };
  }
  return hosts;
}

const asNetwork = (text: string): string => (text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`);

/** A public port of a relay that leads to a host of a box's LAN. */
export const publication = z
  .strictObject({
    port: port.meta({ description: "The relay's port: free there, and published once a protocol.", example: 8080 }),
    protocol: z.enum(protocols).default('tcp').meta({
      description: 'What it carries. UDP needs the tunnel.',
      example: 'tcp',
    }),
    box: z.string().min(1).max(64).meta({
      title: '1 to 64 characters',
      description: 'The name of the box behind which the host is.',
      example: 'home',
    }),
    to: z.union([lanTarget, z.array(lanTarget).min(1).max(2)]).meta({
      title:
        'IP address, with a port where it is another (`192.168.7.10:80`, `[fd00:7::10]:80`), or a list of one of each family',
      description:
        'The host, which the box must let be published. TCP reaches a host of either family from both; UDP only from its own, so that ' +
        'a port of both families needs a host address of each.',
      example: '192.168.7.10:80',
    }),
    from: z
      .array(z.union([ipCidr, ipHost]).overwrite(asNetwork))
      .max(64)
      .default([])
      .meta({
        title: 'list of IP networks or addresses',
        description: 'Where clients may come from; from everywhere where there is none.',
        example: ['198.51.100.0/24'],
      }),
    clients: clients.meta({
      description:
        "`shown`: the host sees clients' own addresses, and must have the box as its gateway. `hidden`: it sees the box's address in the LAN, whatever its gateway is.",
      example: 'shown',
    }),
  })
  .superRefine(({ to }, context) => {
    const [first, second] = [to].flat();
    if (first === undefined || second === undefined) return;
    const [one, other] = [first, second].map((text) => partsOf(text)?.address ?? '');
    if (one === undefined || other === undefined || ipFamily(one) !== ipFamily(other)) return;
    context.addIssue({
      code: 'custom',
      path: ['to'],
      message: `${first} and ${second} are of one family: one of each is taken`,
    });
  });
/** See {@link publication}. */
export type Publication = z.infer<typeof publication>;

/** The single protocols of a publication. */
export const protocolsOf = ({ protocol }: Pick<Publication, 'protocol'>): PortProtocol[] =>
  protocol === 'both' ? ['tcp', 'udp'] : [protocol];

/** A port as people call it: `TCP port 80`. */
export const portName = (protocol: PortProtocol, number: number): string => `${protocol.toUpperCase()} port ${number}`;

/** The first port both want, named; undefined where they go together. */
export function portClash(
  a: Pick<Publication, 'port' | 'protocol'>,
  b: Pick<Publication, 'port' | 'protocol'>,
): string | undefined {
  if (a.port !== b.port) return undefined;
  const common = protocolsOf(a).find((one) => protocolsOf(b).includes(one));
  return common && portName(common, a.port);
}

/** What a relay keeps of ports that were published by command (`published.json` in its state directory); boxes by their pins, for names change. */
export const publicationRegister = z.object({
  version: z.literal(1),
  ports: z.array(
    z.object({
      port,
      protocol: z.enum(protocols),
      pin: z.string(),
      to: z.array(lanTarget).min(1).max(2),
      from: z.array(ipCidr),
      clients,
    }),
  ),
});
/** See {@link publicationRegister}. */
export type PublicationRegister = z.infer<typeof publicationRegister>;
