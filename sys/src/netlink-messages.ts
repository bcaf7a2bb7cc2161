/** Reads rtnetlink messages (man 7 rtnetlink); pure. Numbers are host byte order, which is little-endian wherever Tresse runs. */

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
/** Below lie the control messages: nothing, error, done, overrun. */
const typeMin = 16;
const headerSize = 16;
const linkHeaderSize = 16;
const IFLA_IFNAME = 3;
const IFF_UP = 1;
const IFF_RUNNING = 0x40;
const IFF_LOWER_UP = 0x1_0000;
const upFlags = IFF_UP | IFF_RUNNING | IFF_LOWER_UP;

/** Hears what messages say. */
export interface RouteSink {
  /** An interface as it now is; `up`: switched on and with carrier. Gone ones are told as not up. */
  onLink(ifindex: number, ifname: string, up: boolean): void;
  /** Something else changed: an address, a route; or messages were lost and everything should be read anew. */
  onOther(): void;
}

const decoder = new TextDecoder();

/** Goes through the messages of one datagram. Ends quietly at what is cut off or malformed. */
export function readRouteMessages(bytes: Uint8Array, length: number, sink: RouteSink): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  for (let at = 0; at + headerSize <= length;) {
    const size = view.getUint32(at, true);
    if (size < headerSize || at + size > length) return;
    const type = view.getUint16(at + 4, true);
    if (type === RTM_NEWLINK || type === RTM_DELLINK) readLink(bytes, view, at, size, type === RTM_NEWLINK, sink);
    else if (type >= typeMin) sink.onOther();
    at += aligned(size);
  }
}

function readLink(
  bytes: Uint8Array,
  view: DataView,
  start: number,
  size: number,
  present: boolean,
  sink: RouteSink,
): void {
  const end = start + size;
  const body = start + headerSize;
  if (body + linkHeaderSize > end) return;
  const ifindex = view.getInt32(body + 4, true);
  const flags = view.getUint32(body + 8, true);
  for (let at = body + linkHeaderSize; at + 4 <= end;) {
    const attributeSize = view.getUint16(at, true);
    if (attributeSize < 4 || at + attributeSize > end) return;
    if ((view.getUint16(at + 2, true) & 0x3fff) === IFLA_IFNAME) {
      const ifname = decoder.decode(bytes.subarray(at + 4, at + attributeSize)).replace(/\0.*$/u, '');
      sink.onLink(ifindex, ifname, present && (flags & upFlags) === upFlags);
      return;
    }
    at += aligned(attributeSize);
  }
}

function aligned(size: number): number {
  return (size + 3) & ~3;
}
