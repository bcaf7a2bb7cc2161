import { UserError } from '@tresse/kit';

/**
 * Every name and address of the lab's little internet, in one place. The public ones are of documentation ranges (RFC 5737,
 * RFC 3849) and shared address space (RFC 6598), so nothing here could be mistaken for a real host.
 *
 * ```
 * lan ── box ══ op-LINE (NAT) ── core ── relay
 *                                  ├──── inet
 *                                  └─ ─ ─ the same host, far away
 * ```
 */
export const addresses = {
  lanHost: '192.168.77.2',
  boxLan: '192.168.77.1',
  relay: '203.0.113.1',
  relayGateway: '203.0.113.254',
  internetHost: '198.51.100.10',
  internetGateway: '198.51.100.1',
  farHost: '192.0.2.11',
  farGateway: '192.0.2.1',
} as const;

/** Networks of the internet host, near and far. */
export const internetNetworks = ['198.51.100.0/24', '192.0.2.0/24'] as const;

/** So many addresses has the far end: a page comes from several hosts. */
export const farHostCount = 6;

/** The far host with this number, counted from 0. */
export function farHostOf(index: number): string {
  return addresses.farHost.replace(/\d+$/u, (last) => String(Number(last) + index));
}

/** The same in IPv6, where a scenario has it. All lines' subnets lie in `lines`. */
export const addresses6 = {
  lanHost: '2001:db8:77::2',
  boxLan: '2001:db8:77::1',
  relay: '2001:db8:a::1',
  relayGateway: '2001:db8:a::fe',
  internetHost: '2001:db8:b::10',
  internetGateway: '2001:db8:b::1',
  lines: '2001:db8:1::/48',
} as const;

/** The LAN host's extra address from which connections take the line with this number (counted from 0), for measuring it alone. */
export function lanHostOf(line: number): string {
  return `192.168.77.${101 + line}`;
}

/** A line as far as addresses go. */
interface AddressedLine {
  readonly name: string;
  readonly nic?: string | undefined;
}

/** The two ends of a line, and its operator's public address with the router in the core. */
export interface LineAddresses {
  readonly box: string;
  readonly gateway: string;
  readonly public: string;
  readonly core: string;
}

/** Of the line at this place in the list. Lines on one interface of the box share its subnet. */
export function lineAddresses(lines: readonly AddressedLine[], index: number): LineAddresses {
  const nic = nicOf(lines[index]);
  const subnet = lines.findIndex((line) => line.name === nic) + 1;
  const mates = lines.slice(0, index).filter((line) => nicOf(line) === nic).length;
  const n = index + 1;
  return {
    box: `10.0.${subnet}.${10 * mates + 2}`,
    gateway: `10.0.${subnet}.${10 * mates + 1}`,
    public: `100.64.${n}.2`,
    core: `100.64.${n}.1`,
  };
}

/** So many public addresses an operator has for a subscriber, the first one that of {@link lineAddresses}. */
const publicCount = 200;
/** Ports of a subscriber behind a new address; below those that systems take for themselves (from 32,768 on), so that every one is another than before. */
const portsFirst = 10_000;
const portsEach = 1_000;
const portRanges = 20;

/** Where the line at this place is reached from outside after its address and port have changed so often (from 1 on). */
export function reboundAddress(index: number, change: number): { address: string; ports: string } {
  const first = portsFirst + (change % portRanges) * portsEach;
  return { address: `100.64.${index + 1}.${2 + (change % publicCount)}`, ports: `${first}-${first + portsEach - 1}` };
}

/** The same in IPv6. */
export function lineAddresses6(index: number): LineAddresses {
  const n = index + 1;
  return {
    box: `2001:db8:1:${n}::2`,
    gateway: `2001:db8:1:${n}::1`,
    public: `2001:db8:64:${n}::2`,
    core: `2001:db8:64:${n}::1`,
  };
}

/** Name of the box's interface on which the line hangs. */
export function nicOf(line: AddressedLine | undefined): string {
  return line?.nic ?? line?.name ?? '';
}

/** Whether a server that saw this address was spoken to by the relay. */
export function isRelay(from: string): boolean {
  return from === addresses.relay || from === addresses6.relay;
}

/** Whether a server that saw this address was spoken to over a line directly. */
export function isDirect(from: string): boolean {
  return from.startsWith('100.64.') || from.startsWith('2001:db8:1:');
}

/** Ports of the internet host: plain TCP, the same server listening for MPTCP, what sends back what it gets (RFC 862), iperf3, calls, and HTTP/3. */
export const ports = { plain: 80, multipath: 8080, echo: 7, iperf: 5201, call: 5004, quic: 443 } as const;

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

  /** The switch between an interface of the box and the lines which share it. */
  switch(nic: string): string {
    return `${this.#prefix}sw-${nic}`;
  }

  /** Whether a namespace of this name belongs to the lab. */
  owns(netns: string): boolean {
    if (!netns.startsWith(this.#prefix)) return false;
    const role = netns.slice(this.#prefix.length);
    return ['lan', 'box', 'core', 'relay', 'inet'].includes(role) || /^(?:op|sw)-/u.test(role);
  }
}
