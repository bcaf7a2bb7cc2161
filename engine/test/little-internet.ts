/**
 * Namespaces for one box with two lines, a relay and a server, all joined by plain veth pairs:
 *
 *     lan ── box ══ wan1, wan2 ══ relay ── inet
 */
import { run } from '@tresse/sys';

export const relayAddress = '203.0.113.1';
export const serverAddress = '198.51.100.10';
export const interceptPort = 7_500;
const mark = '0x52';

export class LittleInternet {
  readonly #prefix: string = `ten${process.pid % 10_000}`;

  name(room: 'lan' | 'box' | 'relay' | 'inet'): string {
    return `${this.#prefix}-${room}`;
  }

  /** Everything up, the LAN's TCP handed to the engine's port in the box. */
  async build(): Promise<void> {
    const [lan, box, relay, inet] = [this.name('lan'), this.name('box'), this.name('relay'), this.name('inet')];
    await this.#batch([
      ...[lan, box, relay, inet].map((ns) => `netns add ${ns}`),
      `link add lan0 netns ${box} type veth peer name eth0 netns ${lan}`,
      `link add wan1 netns ${box} type veth peer name line1 netns ${relay}`,
      `link add wan2 netns ${box} type veth peer name line2 netns ${relay}`,
      `link add core0 netns ${relay} type veth peer name eth0 netns ${inet}`,
    ]);
    await Promise.all([
      this.#batch(['addr add 192.168.77.2/24 dev eth0', 'link set eth0 up', 'route add default via 192.168.77.1'], lan),
      this.#batch([`addr add ${serverAddress}/24 dev eth0`, 'link set eth0 up', 'link set lo up'], inet),
      this.#batch(
        [
          'link set lo up',
          `addr add ${relayAddress}/32 dev lo`,
          'addr add 10.0.1.1/24 dev line1',
          'addr add 10.0.2.1/24 dev line2',
          'addr add 198.51.100.1/24 dev core0',
          ...['line1', 'line2', 'core0'].map((dev) => `link set ${dev} up`),
        ],
        relay,
      ),
      this.#batch(
        [
          'link set lo up',
          'addr add 192.168.77.1/24 dev lan0',
          'addr add 10.0.1.2/24 dev wan1',
          'addr add 10.0.2.2/24 dev wan2',
          ...['lan0', 'wan1', 'wan2'].map((dev) => `link set ${dev} up`),
          `rule add fwmark ${mark} lookup 100`,
          'route add local default dev lo table 100',
        ],
        box,
      ),
    ]);
    await Promise.all([this.routes(1), this.routes(2)]);
    await run(['sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.lan0.rp_filter=0'], { netns: box });
    await run(['nft', '-f', '-'], {
      netns: box,
      input: `table ip engine { chain in { type filter hook prerouting priority mangle;
        iifname lan0 meta l4proto tcp socket transparent 1 meta mark set ${mark} accept
        iifname lan0 meta l4proto tcp tproxy to 127.0.0.1:${interceptPort} meta mark set ${mark} accept; }; }`,
    });
  }

  /** The way to the relay over a line; the kernel drops it with the line. */
  async routes(line: number): Promise<void> {
    await this.#batch([`route replace default via 10.0.${line}.1 dev wan${line} metric ${line}`], this.name('box'));
  }

  async link(line: number, state: 'up' | 'down'): Promise<void> {
    await this.#batch([`link set wan${line} ${state}`], this.name('box'));
    if (state === 'up') await this.routes(line);
  }

  /** Nothing passes a line any more, and nobody is told. */
  async silence(line: number): Promise<void> {
    const netns = this.name('relay');
    const input = `table ip silence { chain in { type filter hook prerouting priority raw; iifname line${line} drop; }
      chain out { type filter hook output priority raw; ip daddr 10.0.${line}.0/24 drop; }; }`;
    await run(['nft', '-f', '-'], { netns, input });
  }

  async hear(): Promise<void> {
    await run(['nft', 'delete', 'table', 'ip', 'silence'], { netns: this.name('relay') });
  }

  async demolish(): Promise<void> {
    const rooms = ['lan', 'box', 'relay', 'inet'] as const;
    await Promise.all(rooms.map((room) => run(['ip', 'netns', 'del', this.name(room)]).catch(() => '')));
  }

  async #batch(lines: readonly string[], netns?: string): Promise<void> {
    await run(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n`, ...(netns === undefined ? {} : { netns }) });
  }
}
