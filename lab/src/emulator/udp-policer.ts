import type { DirectionName } from './messages.ts';

/** What an operator lets through of its subscriber's UDP. */
export interface UdpPolicy {
  /** Of IP bytes, in each direction: more is dropped. 0 lets nothing through. */
  readonly rateBps: number;
  /** Ports of servers that the policy is about, the first and the last; all others pass freely. */
  readonly ports: readonly [number, number];
}

const etherHeaderBytes = 14;
const ipv4 = 0x0800;
const ipv6 = 0x86dd;
const ipv6HeaderBytes = 40;
const protocolUdp = 17;
const protocolFragment = 44;
/** A policer forgives a burst of so long at its rate, and never less than ten full packets. */
const burstMs = 100;
const burstBytesMin = 15_000;

/** Drops what an operator does not let through: a token bucket that looks at UDP only. Nothing is allocated per frame. */
export class UdpPolicer {
  readonly #policy: UdpPolicy;
  readonly #portOffset: number;
  readonly #burstBytes: number;
  #tokens: number;
  #filledMs = -Infinity;

  constructor(policy: UdpPolicy, way: DirectionName) {
    this.#policy = policy;
    // Servers' ports are the destinations' on the way up, the sources' on the way down.
    this.#portOffset = way === 'up' ? 2 : 0;
    this.#burstBytes = policy.rateBps === 0 ? 0 : Math.max(burstBytesMin, (policy.rateBps * burstMs) / 8_000);
    this.#tokens = this.#burstBytes;
  }

  /** Whether the Ethernet frame of `length` octets at this place passes. */
  passes(bytes: Uint8Array, offset: number, length: number, nowMs: number): boolean {
    if (!this.#isMeant(bytes, offset, length)) return true;
    const { rateBps } = this.#policy;
    const elapsedMs = this.#filledMs === -Infinity ? 0 : nowMs - this.#filledMs;
    this.#filledMs = nowMs;
    this.#tokens = Math.min(this.#burstBytes, this.#tokens + (elapsedMs * rateBps) / 8_000);
    const cost = length - etherHeaderBytes;
    if (cost > this.#tokens) return false;
    this.#tokens -= cost;
    return true;
  }

  /** A fragment that is not the first has no ports: it counts only where all ports do. */
  #isMeant(bytes: Uint8Array, offset: number, length: number): boolean {
    const type = word(bytes, offset + 12);
    const ip = offset + etherHeaderBytes;
    let transport = ip;
    let later = false;
    if (type === ipv4) {
      if (bytes[ip + 9] !== protocolUdp) return false;
      transport += ((bytes[ip] ?? 0) & 0x0f) * 4;
      later = (word(bytes, ip + 6) & 0x1fff) !== 0;
    } else if (type === ipv6) {
      const next = bytes[ip + 6];
      const isFragment = next === protocolFragment;
      transport += ipv6HeaderBytes;
      if ((isFragment ? bytes[transport] : next) !== protocolUdp) return false;
      later = isFragment && (word(bytes, transport + 2) & 0xfff8) !== 0;
      if (isFragment) transport += 8;
    } else return false;
    const [first, last] = this.#policy.ports;
    if (first === 0 && last === 0xffff) return true;
    if (later || transport + 4 > offset + length) return false;
    const port = word(bytes, transport + this.#portOffset);
    return port >= first && port <= last;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
