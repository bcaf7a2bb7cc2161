import { type Log, Tun } from '@tresse/daemon';
import { sentenceOf } from '@tresse/kit';
import { markMask, tunnelInterface, tunnelMark, type TunnelState } from '@tresse/plan';
import type { TunnelMessage } from '@tresse/schema';
import { forgetFlows } from '@tresse/sys';

/** What is needed of a device. */
type Device = Pick<Tun, 'fd' | 'configure' | 'close'>;

/** The box's end of the tunnel: its device, its addresses as the relay told them, and whether packets get through. */
export class Tunnel {
  readonly #log: Log;
  readonly #forget: typeof forgetFlows;
  readonly #openDevice: (name: string) => Device;
  #tun: Device | undefined;
  /** Why there is none. */
  #fault: string | undefined;
  /** Undefined until the engine knows. */
  #carried: boolean | undefined;
  #told: TunnelMessage | undefined;
  /** The relay of this session has said what it has to say. */
  #heardOut = false;
  /** Packets went there when the network was set up last. */
  #used = false;

  constructor(
    log: Log,
    forget: typeof forgetFlows = forgetFlows,
    openDevice: (name: string) => Device = (name) => Tun.open(name),
  ) {
    this.#log = log;
    this.#forget = forget;
    this.#openDevice = openDevice;
  }

  /** Makes the device; where that is not possible there is no tunnel. */
  open(): void {
    try {
      this.#tun = this.#openDevice(tunnelInterface);
    } catch (error) {
      this.#fault = sentenceOf(error);
    }
  }

  /** Of the device, while there is one. */
  get fd(): number | undefined {
    return this.#tun?.fd;
  }

  /** Why UDP and everything else that is no TCP is not bonded though the relay is `reached`, as a sentence; undefined where it is, or nothing is wrong. */
  warning(reached: boolean): string | undefined {
    if (this.#fault !== undefined) return `what is no TCP leaves directly: ${this.#fault}`;
    // What a new relay has not said yet may be that it has no tunnel.
    if (!reached || !this.#heardOut || this.#told === undefined || this.#carried !== false) return undefined;
    return 'what is no TCP leaves directly: no datagram gets through to the relay (is its UDP port open?)';
  }

  get state(): TunnelState {
    if (!this.#tun) return 'none';
    const { ipv6 } = this.#told ?? {};
    if (this.#carried === true && this.#told) return { 4: true, 6: ipv6 !== undefined };
    return this.#carried === undefined || (this.#carried && !this.#heardOut) ? 'waiting' : 'none';
  }

  /** {@link state} for the status, while the relay is reached or not: `carries` once the network is set up for it. */
  wordOf(reached: boolean): 'carries' | 'waiting' | 'none' {
    const { state } = this;
    if (!reached || state === 'none') return 'none';
    return typeof state === 'object' && this.#used ? 'carries' : 'waiting';
  }

  /** Another session begins: the relay says anew what this box is called. */
  begin(): void {
    this.#heardOut = false;
  }

  /** The relay says what this box is called inside. Throws CommandError where the kernel does not take it. */
  async noteAddresses(told: TunnelMessage): Promise<void> {
    this.#heardOut = true;
    const { ipv4, ipv6, mtu } = told;
    await this.#tun?.configure({ addresses: [`${ipv4}/32`, ...(ipv6 === undefined ? [] : [`${ipv6}/128`])], mtu });
    this.#told = told;
  }

  /** The relay has said what comes after the addresses. Returns whether it said none, and so has no tunnel. */
  noteHeardOut(): boolean {
    if (this.#heardOut) return false;
    this.#heardOut = true;
    this.#told = undefined;
    return true;
  }

  noteCarried(carried: boolean): void {
    if (carried === this.#carried) return;
    this.#carried = carried;
    this.#log.at(carried ? 'info' : 'warn', carried ? 'packets reach the relay' : 'packets do not reach the relay', {});
  }

  /** The network is set up for this state: flows that began in the tunnel are forgotten when it is no longer used, and find another way. */
  settle(state: TunnelState): void {
    const used = typeof state === 'object';
    if (this.#used && !used) {
      try {
        this.#forget(tunnelMark, markMask);
      } catch (error) {
        this.#log.warn('flows stay with the tunnel', { reason: sentenceOf(error) });
      }
    }
    this.#used = used;
  }

  close(): void {
    this.#tun?.close();
    this.#tun = undefined;
  }
}
