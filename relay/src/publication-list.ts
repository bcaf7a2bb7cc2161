import type { StateDirectory, StateReader } from '@tresse/daemon';
import { UserError } from '@tresse/kit';
import {
  portClash,
  portName,
  type PortProtocol,
  protocolsOf,
  type Publication,
  type PublicationRegister,
  publicationRegister,
  publicationsMax,
  type RelayConfig,
  type UnpublishRequest,
} from '@tresse/schema';

import { readStateFile } from './state-file.ts';

const fileName = 'published.json';

/** One protocol of a public port, and where it leads. */
export interface ListedPort {
  readonly protocol: PortProtocol;
  readonly port: number;
  /** The box as it is called now, and its pin; none is known by the name where that is missing. */
  readonly box: string;
  readonly pin: string | undefined;
  readonly to: readonly string[];
  readonly from: readonly string[];
  readonly clients: Publication['clients'];
  readonly origin: 'configured' | 'command';
}

/** Boxes by name and by pin. */
export interface BoxNames {
  pinOf(name: string): string | undefined;
  nameOf(pin: string): string;
}

type Entry = PublicationRegister['ports'][number];

/**
 * What is to be published: the ports of relay.yaml, and beside them those of the command, kept in the state directory. Every change is on disk before it counts: what could
 * not be written did not happen.
 */
export class PublicationList {
  readonly #config: PortConfig;
  readonly #directory: StateDirectory;
  readonly #names: BoxNames;
  #commanded: readonly Entry[];

  /** Reads the file. Throws UserError `REGISTER_BROKEN`, `STATE_UNREADABLE`. */
  constructor(config: PortConfig, directory: StateDirectory, names: BoxNames) {
    this.#config = config;
    this.#directory = directory;
    this.#names = names;
    this.#commanded = readPublications(directory).ports;
  }

  /** Every port, as {@link listedPorts}. */
  all(): ListedPort[] {
    return listedPorts(this.#config, this.#commanded, this.#names);
  }

  /** Says why a port cannot be published. Throws UserError `BOX_UNKNOWN`, `UDP_NO_TUNNEL`, `PORT_OWN`, `PORT_PUBLISHED`, `PORTS_MANY`. */
  requireFree(wanted: Publication): ListedPort[] {
    const pin = this.#names.pinOf(wanted.box);
    if (pin === undefined) {
      throw new UserError('BOX_UNKNOWN', `No box is called "${wanted.box}": "tresse relay boxes" lists them.`);
    }
    if (wanted.protocol !== 'tcp' && !this.#config.tunnel) {
      throw new UserError(
        'UDP_NO_TUNNEL',
        'UDP is published through the tunnel, which relay.yaml switches off ("tunnel: false").',
      );
    }
    const own = portClash(wanted, ownPort(this.#config));
    if (own !== undefined) throw new UserError('PORT_OWN', `${own} is the relay's own: choose another one.`);
    const listed = this.all();
    const taken = listed.find((one) => portClash(wanted, one) !== undefined);
    if (taken) throw new UserError('PORT_PUBLISHED', takenWords(taken));
    if (listed.length + protocolsOf(wanted).length > publicationsMax) {
      throw new UserError(
        'PORTS_MANY',
        `${publicationsMax} ports are published already: take some of them back first.`,
      );
    }
    return placed(wanted, { box: wanted.box, pin, origin: 'command' });
  }

  /** Notes what {@link requireFree} let through. Throws UserError `STATE_UNWRITABLE`. */
  add(ports: readonly ListedPort[]): void {
    const made = ports.flatMap(({ protocol, port, pin, to, from, clients }) =>
      pin === undefined ? [] : [{ protocol, port, pin, to: [...to], from: [...from], clients }],
    );
    this.#commit([...this.#commanded, ...made]);
  }

  /** Takes ports of the command back. Returns them. Throws UserError `PORT_CONFIGURED`, `PORT_UNPUBLISHED`, `STATE_UNWRITABLE`. */
  remove(wanted: UnpublishRequest): ListedPort[] {
    const found = this.all().filter((one) => portClash(wanted, one) !== undefined);
    const configured = found.find((one) => one.origin === 'configured');
    if (configured) {
      const name = portName(configured.protocol, configured.port);
      throw new UserError('PORT_CONFIGURED', `${name} stands in relay.yaml: take it out there, and restart the relay.`);
    }
    if (found.length === 0) {
      const protocols = protocolsOf(wanted).map((one) => portName(one, wanted.port));
      throw new UserError(
        'PORT_UNPUBLISHED',
        `${protocols.join(' or ')} is not published: "tresse relay published" lists what is.`,
      );
    }
    this.#commit(this.#commanded.filter((one) => portClash(wanted, one) === undefined));
    return found;
  }

  /** A box is out: its ports of the command are gone with it. Throws UserError `STATE_UNWRITABLE`. */
  forget(pin: string): void {
    const left = this.#commanded.filter((one) => one.pin !== pin);
    if (left.length < this.#commanded.length) this.#commit(left);
  }

  /** One entry for each protocol, so that each can be taken back. */
  #commit(ports: readonly Entry[]): void {
    this.#directory.write(fileName, `${JSON.stringify({ version: 1, ports }, null, 1)}\n`);
    this.#commanded = ports;
  }
}

type PortConfig = Pick<RelayConfig, 'listen' | 'tunnel' | 'publish'>;

/** Every port, those of relay.yaml first, and of `commanded` what does not clash with them or the relay's own. */
export function listedPorts(config: PortConfig, commanded: readonly Entry[], names: BoxNames): ListedPort[] {
  const others = [ownPort(config), ...config.publish];
  const free = commanded.filter((one) => !others.some((other) => portClash(one, other) !== undefined));
  return [
    ...config.publish.flatMap((one) => placed(one, { box: one.box, pin: names.pinOf(one.box), origin: 'configured' })),
    ...free.flatMap((one) => placed(one, { box: names.nameOf(one.pin), pin: one.pin, origin: 'command' })),
  ];
}

const ownPort = ({ listen, tunnel }: PortConfig): Pick<Publication, 'port' | 'protocol'> => ({
  port: listen.port,
  protocol: tunnel ? 'both' : 'tcp',
});

/** A publication, protocol by protocol. */
function placed(
  { port, to, from, clients, protocol: wanted }: Pick<Publication, 'port' | 'to' | 'from' | 'clients' | 'protocol'>,
  { box, pin, origin }: Pick<ListedPort, 'box' | 'pin' | 'origin'>,
): ListedPort[] {
  return protocolsOf({ protocol: wanted }).map((protocol) => {
    return { protocol, port, box, pin, to: [to].flat(), from, clients, origin };
  });
}

function takenWords({ protocol, port, to, box, origin }: ListedPort): string {
  const where = `${portName(protocol, port)} leads to ${to.join(' and ')} of ${box} already`;
  return origin === 'configured'
    ? `${where}, as relay.yaml says.`
    : `${where}: "tresse relay unpublish ${port}" takes it back.`;
}

/** What the file holds. Throws UserError `REGISTER_BROKEN`, `STATE_UNREADABLE`. */
export const readPublications = (directory: StateReader): PublicationRegister =>
  readStateFile(
    directory,
    fileName,
    publicationRegister,
    { version: 1, ports: [] },
    'remove it and publish every port anew',
  );
