/**
 * What kind a flow is, by its mark, its ports, and what it does: small steady packets both ways are a call or a game, long
 * trains of full ones a transfer. A flow begins as interactive, and may change with what it does.
 */
import { PacketClass } from './datagram.ts';
import { type InnerPacket, Protocol } from './inner-packet.ts';

/** Behaviour is looked at over such a time, ms, in so many parts. */
const windowMs = 1_000;
const parts = 10;
const partMs: number = windowMs / parts;
/** A call: something in all but so many parts of a second, both ways; packets so small and so many on average. */
const emptyPartsMax = 1;
const callBytesMax = 500;
const callPacketsMax = 400;
/** A transfer: so much in a second, in packets that are as good as full. */
const bulkBytesMin = 131_072;
const fullBytesMin = 900;
/** What has become bulk stays so until it has sent less than this in a second. */
const bulkBytesStays = 32_768;

/** DSCP: expedited forwarding, admitted voice, real-time interactive, broadcast video (RFC 4594, 5865); lower effort (RFC 8622) and CS1. */
const realtimeMarks: ReadonlySet<number> = new Set([46, 44, 32, 24]);
const bulkMarks: ReadonlySet<number> = new Set([1, 8]);
/** Domain name and time services, and where calls are arranged: SIP, STUN and TURN. */
const interactivePorts: ReadonlySet<number> = new Set([53, 123, 853, 3478, 3479, 5060, 5061, 5349, 19302]);

/** One direction of a flow, over the last second. */
class Direction {
  readonly #packets: Uint32Array = new Uint32Array(parts);
  #packetSum = 0;
  #byteSum = 0;
  readonly #bytes: Float64Array = new Float64Array(parts);
  #part = 0;

  take(bytes: number, nowMs: number): void {
    this.#advance(nowMs);
    const at = this.#part % parts;
    this.#packets[at] = (this.#packets[at] ?? 0) + 1;
    this.#bytes[at] = (this.#bytes[at] ?? 0) + bytes;
    this.#packetSum++;
    this.#byteSum += bytes;
  }

  get bytes(): number {
    return this.#byteSum;
  }

  get meanBytes(): number {
    return this.#packetSum === 0 ? 0 : this.#byteSum / this.#packetSum;
  }

  /** Small packets, without a pause and without a burst. */
  steady(nowMs: number): boolean {
    this.#advance(nowMs);
    let empty = 0;
    // The part that has just begun may be empty still.
    for (let i = 1; i < parts; i++) if (this.#packets[(this.#part - i + parts) % parts] === 0) empty++;
    return empty <= emptyPartsMax && this.meanBytes <= callBytesMax && this.#packetSum <= callPacketsMax;
  }

  #advance(nowMs: number): void {
    const part = Math.floor(nowMs / partMs);
    for (let i = Math.min(parts, part - this.#part); i > 0; i--) {
      const at = (part - i + 1) % parts;
      this.#packetSum -= this.#packets[at] ?? 0;
      this.#byteSum -= this.#bytes[at] ?? 0;
      this.#packets[at] = 0;
      this.#bytes[at] = 0;
    }
    this.#part = Math.max(part, this.#part);
  }
}

export class FlowClass {
  readonly #out: Direction = new Direction();
  readonly #in: Direction = new Direction();
  readonly #given: PacketClass | undefined;
  #class: PacketClass;

  /** By its first packet; `given` is what a rule says, whatever the flow does. */
  constructor(first: Readonly<InnerPacket>, given?: PacketClass) {
    this.#given = given;
    this.#class = given ?? byMark(first) ?? PacketClass.interactive;
  }

  get class(): PacketClass {
    return this.#class;
  }

  /** A packet of the flow leaves. Returns its class. */
  sent(packet: Readonly<InnerPacket>, bytes: number, nowMs: number): PacketClass {
    this.#out.take(bytes, nowMs);
    this.#class = this.#given ?? byMark(packet) ?? this.#byDeed(packet, nowMs);
    return this.#class;
  }

  /** Its packets stand in a queue for too long: full ones are a transfer's, however slow the line is. */
  stood(): void {
    const open = this.#given === undefined && this.#class === PacketClass.interactive;
    if (open && this.#out.bytes >= bulkBytesStays && this.#out.meanBytes >= fullBytesMin)
      this.#class = PacketClass.bulk;
  }

  /** One came the other way. */
  received(bytes: number, nowMs: number): void {
    this.#in.take(bytes, nowMs);
  }

  #byDeed(packet: Readonly<InnerPacket>, nowMs: number): PacketClass {
    const out = this.#out;
    if (this.#class === PacketClass.bulk) {
      if (out.bytes >= bulkBytesStays) return PacketClass.bulk;
    } else if (out.bytes >= bulkBytesMin && out.meanBytes >= fullBytesMin) return PacketClass.bulk;
    const call = packet.protocol === Protocol.udp && !byPort(packet) && out.steady(nowMs) && this.#in.steady(nowMs);
    return call ? PacketClass.realtime : PacketClass.interactive;
  }
}

function byMark(packet: Readonly<InnerPacket>): PacketClass | undefined {
  if (realtimeMarks.has(packet.dscp)) return PacketClass.realtime;
  return bulkMarks.has(packet.dscp) ? PacketClass.bulk : undefined;
}

const byPort = (packet: Readonly<InnerPacket>): boolean =>
  interactivePorts.has(packet.from) || interactivePorts.has(packet.to);
