import { sentenceOf, SystemError, UserError } from '@tresse/kit';
import { closeFd, ErrnoError, ipBatch, openTun, readSysctl, writeSysctl } from '@tresse/sys';

/** An address of the tunnel, with the length of its network's prefix: `100.127.0.1/22`. */
export interface TunAddresses {
  readonly addresses: readonly string[];
  /** Octets. */
  readonly mtu: number;
}

/** Settings of such a device, where this kernel has them: its packets are passed on, whatever way they would go back, and nothing speaks there by itself. */
const settings = [
  ['net.ipv4.conf.NAME.forwarding', '1'],
  ['net.ipv4.conf.NAME.rp_filter', '2'],
  ['net.ipv6.conf.NAME.addr_gen_mode', '1'],
  ['net.ipv6.conf.NAME.force_forwarding', '1'],
] as const;

/** A TUN device of a daemon: the kernel takes it away, routes over it included, when its descriptor is closed or the process ends. */
export class Tun {
  readonly fd: number;
  readonly name: string;
  #addresses: readonly string[] = [];

  private constructor(fd: number, name: string) {
    this.fd = fd;
    this.name = name;
  }

  /** Makes the device, without addresses. Throws SystemError `TUN` with the reason (no /dev/net/tun, the name is taken). */
  static open(name: string): Tun {
    try {
      const { fd } = openTun(name);
      for (const [setting, value] of settings) writeIfThere(setting.replace('NAME', name), value);
      return new Tun(fd, name);
    } catch (error) {
      if (!(error instanceof ErrnoError || error instanceof UserError || error instanceof SystemError)) throw error;
      throw new SystemError('TUN', `there can be no device ${name} for packets: ${sentenceOf(error)}`, error);
    }
  }

  /** Gives it these addresses and no others, and puts it up. Throws CommandError. */
  async configure({ addresses, mtu }: TunAddresses): Promise<void> {
    const gone = this.#addresses.filter((one) => !addresses.includes(one));
    const added = addresses.filter((one) => !this.#addresses.includes(one));
    await ipBatch([
      ...gone.map((one) => `address del ${one} dev ${this.name}`),
      `link set ${this.name} mtu ${mtu} up`,
      ...added.map((one) => `address add ${one} dev ${this.name}${one.includes(':') ? ' nodad' : ''}`),
    ]);
    this.#addresses = addresses;
  }

  close(): void {
    closeFd(this.fd);
  }
}

function writeIfThere(setting: string, value: string): void {
  if (readSysctl(setting) !== undefined) writeSysctl(setting, value);
}
