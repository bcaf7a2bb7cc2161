import { UserError } from '@tresse/kit';

/**
 * Every name and address of the lab's little internet, in one place. The public ones are of documentation ranges (RFC 5737) and
 * shared address space (RFC 6598), so nothing here could be mistaken for a real host.
 *
 * ```
 * lan ── box ══ op-LINE (NAT) ── core ── relay
 *                                  └──── inet
 * ```
 */
export const addresses = {
  lanHost: '192.168.77.2',
  boxLan: '192.168.77.1',
  relay: '203.0.113.1',
  relayGateway: '203.0.113.254',
  internetHost: '198.51.100.10',
  internetGateway: '198.51.100.1',
} as const;

/** The LAN host's extra address from which connections take the line with this number (counted from 0), for measuring it alone. */
export function lanHostOf(line: number): string {
  return `192.168.77.${101 + line}`;
}

/** The box's and the operator's end of a line, and the operator's public address with its router in the core. */
export function lineAddresses(line: number): { box: string; gateway: string; public: string; core: string } {
  const n = line + 1;
  return { box: `10.0.${n}.2`, gateway: `10.0.${n}.1`, public: `100.64.${n}.2`, core: `100.64.${n}.1` };
}

/** Ports of the internet host: plain TCP, and the same server listening for MPTCP. */
export const ports = { plain: 80, multipath: 8080 } as const;

/** Namespaces of one lab. */
export class LabNames {
  readonly #prefix: string;

  /** The prefix is what tells two labs on one machine apart. Throws UserError `LAB_PREFIX` where it cannot be part of a name. */
  constructor(prefix: string = process.env['TRESSE_LAB_PREFIX'] ?? 'tresse-') {
    if (!/^[a-z][a-z0-9-]{1,20}$/u.test(prefix))
      throw new UserError('LAB_PREFIX', `"${prefix}" cannot begin namespaces' names`);
    this.#prefix = prefix;
  }

  get lan(): string {
    return `${this.#prefix}lan`;
  }

  get box(): string {
    return `${this.#prefix}box`;
  }

  get core(): string {
    return `${this.#prefix}core`;
  }

  get relay(): string {
    return `${this.#prefix}relay`;
  }

  get inet(): string {
    return `${this.#prefix}inet`;
  }

  /** The lock's name. */
  get lock(): string {
    return `${this.#prefix}lock`;
  }

  /** Name of the folder of a run's logs and states. */
  get folder(): string {
    return `${this.#prefix}lab`;
  }

  operator(line: string): string {
    return `${this.#prefix}op-${line}`;
  }

  /** Whether a namespace of this name belongs to the lab. */
  owns(netns: string): boolean {
    if (!netns.startsWith(this.#prefix)) return false;
    const role = netns.slice(this.#prefix.length);
    return ['lan', 'box', 'core', 'relay', 'inet'].includes(role) || role.startsWith('op-');
  }
}
