/** The traffic class (IPv4: TOS) of what a connection's peer sent: DSCP in the upper six bits, ECN in the lower two. */
import { checked } from './errno.ts';
import { nativeSlab, wordSlab } from './slab.ts';
import { getSocketOption, setSocketOption, SOL_IP, SOL_IPV6 } from './socket-option-calls.ts';

const IP_TOS = 1;
const IP_PKTOPTIONS = 9;
const IP_RECVTOS = 13;
const IPV6_2292PKTOPTIONS = 6;
const IPV6_RECVTCLASS = 66;
const IPV6_TCLASS = 67;
/** struct cmsghdr: length 8, level 4, type 4; then an int, padded. */
const headerBytes = 16;

const one = wordSlab(1);
const size = wordSlab(1);
const messages = nativeSlab(64);
const view = new DataView(messages.bytes.buffer, messages.bytes.byteOffset, messages.bytes.length);

/** A listener whose connections will tell {@link receivedTrafficClass}. Throws ErrnoError. */
export function setReceiveTrafficClass(fd: number, family: 4 | 6): void {
  one.words[0] = 1;
  const [level, option] = family === 4 ? [SOL_IP, IP_RECVTOS] : [SOL_IPV6, IPV6_RECVTCLASS];
  checked(setSocketOption(fd, level, option, one.address, 4), 'ask for the traffic class of connections');
}

/** Of the segment that completed the handshake (the kernel keeps that one); 0 where it is not known. Never throws. */
export function receivedTrafficClass(fd: number, family: 4 | 6): number {
  size.words[0] = messages.bytes.length;
  const [level, option, wanted] =
    family === 4 ? [SOL_IP, IP_PKTOPTIONS, IP_TOS] : [SOL_IPV6, IPV6_2292PKTOPTIONS, IPV6_TCLASS];
  if (getSocketOption(fd, level, option, messages.address, size.address) < 0) return 0;
  const end = size.words[0] ?? 0;
  for (let at = 0; at + headerBytes + 4 <= end;) {
    const length = Number(view.getBigUint64(at, true));
    if (view.getInt32(at + 8, true) === level && view.getInt32(at + 12, true) === wanted) {
      return view.getUint8(at + headerBytes);
    }
    if (length < headerBytes) break;
    at += (length + 7) & ~7;
  }
  return 0;
}
