/** Inner packets that tell what they are: flow, number, time, and a pattern all through, so that nothing can be altered or mixed up unnoticed. */

/** Where what the packet tells begins, behind the headers of IPv4 and UDP. */
const flowAt = 28;
const numberAt = 32;
const sentAt = 36;
const patternAt = 44;
const udp = 17;
const portFirst = 20_000;
/** Every so many bytes one is of the pattern: enough to see a piece at the wrong place. */
const patternStep = 64;

const patternOf = (flow: number, number: number, at: number): number => (flow * 31 + number * 7 + at * 13) & 0xff;

/** Writes the packet of a flow to the start of `packet`; `up`: from the box's hosts. A flow has the same two ends both ways. */
export function writePattern(
  packet: Uint8Array,
  flow: number,
  number: number,
  length: number,
  up: boolean,
  nowMs: number,
): void {
  const view = new DataView(packet.buffer, packet.byteOffset);
  packet.fill(0, 0, patternAt);
  packet[0] = 0x45;
  view.setUint16(2, length);
  packet[9] = udp;
  view.setUint32(up ? 12 : 16, 0x0a00_0001);
  view.setUint32(up ? 16 : 12, 0xc633_6407);
  view.setUint16(up ? 20 : 22, portFirst + flow);
  view.setUint16(up ? 22 : 20, 30_000);
  view.setUint32(flowAt, flow);
  view.setUint32(numberAt, number);
  view.setFloat64(sentAt, nowMs);
  for (let at = patternAt; at < length; at += patternStep) packet[at] = patternOf(flow, number, at);
}

export interface Patterned {
  readonly flow: number;
  readonly number: number;
  readonly sentMs: number;
}

/** Reads a packet back; undefined where it is not as it was written. */
export function readPattern(bytes: Uint8Array, start: number, length: number): Patterned | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start);
  if (length < patternAt || view.getUint16(2) !== length) return undefined;
  const flow = view.getUint32(flowAt);
  const number = view.getUint32(numberAt);
  for (let at = patternAt; at < length; at += patternStep) {
    if (bytes[start + at] !== patternOf(flow, number, at)) return undefined;
  }
  return { flow, number, sentMs: view.getFloat64(sentAt) };
}
