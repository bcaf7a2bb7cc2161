/** Non-blocking UDP sockets as plain descriptor numbers; per datagram nothing is allocated, and failures are `-errno`. */
import { ownFd } from './descriptors.ts';
import { checked } from './errno.ts';
import { lastErrno, native } from './ffi.ts';
import { socket } from './libc.ts';
import { type NativeSlab, nativeSlab, wordSlab } from './slab.ts';
import { AF_INET, AF_INET6, encodeSocketAddress } from './socket-address.ts';
import { setNumber, setSocketOption, SOL_IP, SOL_IPV6 } from './socket-option-calls.ts';

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK_CLOEXEC = 0x80800;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const IP_PKTINFO = 8;
const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
const IPV6_RECVPKTINFO = 49;
/** Not to be cut on the way, and ICMP is not believed: `linux/in.h`. */
const PMTUDISC_PROBE = 3;
const SOL_SOCKET = 1;
const SO_ATTACH_REUSEPORT_CBPF = 51;
/** Classic BPF: load a word at k, the remainder by k, return what is there. */
const loadWord = 0x20;
const remainder = 0x94;
const returnIt = 0x16;

const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;
const IPV6_PKTINFO = 50;

/** struct sockaddr_in6, padded; behind it room for control messages: struct cmsghdr 16 and struct in6_pktinfo 20, padded; then 16 and a size of segments. */
const nameRoom = 32;
const controlRoom = 40;
const segmentRoom = 24;
const nameMax = 28;
/** struct cmsghdr: length 8, level 4, type 4. */
const headBytes = 16;
/** Where struct in_pktinfo and struct in6_pktinfo have the number of the interface, within the control message. */
const indexAt = { [SOL_IP]: 16, [SOL_IPV6]: 32 } as const;
/** A segment's size has two bytes when told to the kernel, and four when the kernel tells it. */
const segmentMessageBytes: number = headBytes + 2;

/** struct msghdr with the one struct iovec it points to behind it, as 32-bit words. */
const message = nativeSlab(56 + 16);
const words = new Uint32Array(message.bytes.buffer);
/** Places in it, in words. */
const Field = {
  name: 0,
  nameBytes: 2,
  parts: 4,
  partCount: 6,
  control: 8,
  controlBytes: 10,
  base: 14,
  length: 16,
} as const;
const wordBase = 0x1_0000_0000;

const recvMessage: (fd: number, message: number, flags: number) => number = native(
  'int64_t recvmsg(int, uintptr_t, int)',
);
const number = wordSlab(1);

const sendMessage: (fd: number, message: number, flags: number) => number = native(
  'int64_t sendmsg(int, uintptr_t, int)',
);

function setPointer(field: number, address: number): void {
  words[field] = address >>> 0;
  words[field + 1] = Math.floor(address / wordBase);
}

setPointer(Field.parts, message.address + 56);
words[Field.partCount] = 1;

/** What the kernel tells of a datagram beside its bytes. */
const told = nativeSlab(controlRoom + segmentRoom);
const toldWords = new Uint32Array(told.bytes.buffer);
let segmentBytes = 0;

/** Where datagrams come from and go to: the other host's address, and that of ours which it knows, as the kernel writes them. */
export interface Endpoint {
  readonly slab: NativeSlab;
  /** Of the other host's address; 0: none is known. */
  nameBytes: number;
  /** Of ours; 0: the route chooses. */
  controlBytes: number;
}

/** An endpoint to be filled, or one that is known. Throws UserError `ADDRESS`. */
export function endpoint(address?: string, port = 0): Endpoint {
  const slab = nativeSlab(nameRoom + controlRoom + segmentRoom);
  return {
    slab,
    nameBytes: address === undefined ? 0 : encodeSocketAddress(slab.bytes, address, port),
    controlBytes: 0,
  };
}

/** Makes one endpoint what another is. */
export function copyEndpoint(from: Readonly<Endpoint>, to: Endpoint): void {
  to.slab.bytes.set(from.slab.bytes);
  to.nameBytes = from.nameBytes;
  to.controlBytes = from.controlBytes;
}

/** A UDP socket, non-blocking and closed on exec, whose datagrams nobody cuts: one that is too long for its way is lost, or refused where it leaves. Throws ErrnoError (EMFILE, EAFNOSUPPORT). */
export function udpSocket(family: 4 | 6): number {
  const domain = family === 4 ? AF_INET : AF_INET6;
  const fd = ownFd(checked(socket(domain, SOCK_DGRAM | SOCK_NONBLOCK_CLOEXEC, 0), 'make a UDP socket'));
  setNumber(fd, SOL_IP, IP_MTU_DISCOVER, PMTUDISC_PROBE, 'set IP_MTU_DISCOVER');
  if (family === 6) setNumber(fd, SOL_IPV6, IPV6_MTU_DISCOVER, PMTUDISC_PROBE, 'set IPV6_MTU_DISCOVER');
  return fd;
}

/** What is received says to which of our addresses it was sent, so that answers leave from there: a host may have several. Throws ErrnoError. */
export function tellLocalAddress(fd: number, family: 4 | 6): void {
  if (family === 4) setNumber(fd, SOL_IP, IP_PKTINFO, 1, 'set IP_PKTINFO');
  else setNumber(fd, SOL_IPV6, IPV6_RECVPKTINFO, 1, 'set IPV6_RECVPKTINFO');
}

/**
 * Spreads datagrams over the sockets that share a port with this one (`SO_REUSEPORT`): the 32 bits at byte `at`, in network order, modulo their `count`, is which of them,
 * in the order they were bound. Shorter datagrams go to the first. Throws ErrnoError.
 */
export function spreadByWord(fd: number, at: number, count: number): void {
  // struct sock_filter is code 2, two jumps 1 each, k 4; struct sock_fprog a length and a pointer.
  const program = wordSlab(6);
  program.words.set([loadWord, at, remainder, count, returnIt, 0]);
  const call = wordSlab(4);
  call.words.set([3, 0, program.address >>> 0, Math.floor(program.address / wordBase)]);
  checked(setSocketOption(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, call.address, 16), 'spread datagrams over sockets');
}

/**
 * From now on the kernel may join datagrams of one sender and one size that came together; see {@link receivedSegmentBytes}. Returns whether this kernel does (Linux 5.0).
 */
export function joinReceived(fd: number): boolean {
  number.words[0] = 1;
  return setSocketOption(fd, SOL_UDP, UDP_GRO, number.address, 4) === 0;
}

/**
 * Receives one datagram to memory at `address`, and its endpoint; or several, see {@link joinReceived}. Returns its bytes, cut at `length`, or -errno (-EAGAIN: none is there;
 * -ECONNREFUSED: one that was sent found nobody).
 */
export function receiveFrom(fd: number, address: number, length: number, from: Endpoint): number {
  lay(address, length, from.slab.address, nameMax, told.address, told.bytes.length);
  const count = recvMessage(fd, message.address, MSG_DONTWAIT);
  if (count < 0) return -lastErrno();
  from.nameBytes = words[Field.nameBytes] ?? 0;
  from.controlBytes = 0;
  segmentBytes = 0;
  const end = words[Field.controlBytes] ?? 0;
  for (let at = 0; at + headBytes <= end; at += alignedTo8(toldWords[at / 4] ?? 0)) takeTold(at, from);
  return count;
}

/** What was received last is datagrams of so many bytes, one behind the other, of which the last may be shorter; 0: it is one. */
export function receivedSegmentBytes(): number {
  return segmentBytes;
}

/**
 * Sends one datagram, or, where `segment` is not 0, one of so many bytes after the other, of which the last may be shorter: 64 at most (Linux 4.18).
 * Returns the bytes, or -errno (-EAGAIN: no room, -EMSGSIZE: too long, -EINVAL and -EIO: segments are not for this way).
 */
export function sendTo(fd: number, address: number, length: number, to: Readonly<Endpoint>, segment = 0): number {
  const { slab, nameBytes, controlBytes } = to;
  const more = segment > 0 ? segmentRoom : 0;
  if (more > 0) writeSegment(slab.bytes, nameRoom + controlBytes, segment);
  lay(address, length, slab.address, nameBytes, slab.address + nameRoom, controlBytes + more);
  const count = sendMessage(fd, message.address, MSG_DONTWAIT | MSG_NOSIGNAL);
  return count >= 0 ? count : -lastErrno();
}

const alignedTo8 = (length: number): number => Math.max(headBytes, (length + 7) & ~7);

/** Takes one control message of what was received. */
function takeTold(at: number, from: Endpoint): void {
  const level = toldWords[at / 4 + 2] ?? 0;
  const type = toldWords[at / 4 + 3] ?? 0;
  if (level === SOL_UDP && type === UDP_GRO) segmentBytes = toldWords[at / 4 + 4] ?? 0;
  else if ((level === SOL_IP && type === IP_PKTINFO) || (level === SOL_IPV6 && type === IPV6_PKTINFO)) {
    const bytes = Math.min(alignedTo8(toldWords[at / 4] ?? 0), controlRoom);
    for (let i = 0; i < bytes; i++) from.slab.bytes[nameRoom + i] = told.bytes[at + i] ?? 0;
    // By which card it came binds no answer.
    from.slab.bytes.fill(0, nameRoom + indexAt[level], nameRoom + indexAt[level] + 4);
    from.controlBytes = bytes;
  }
}

function writeSegment(bytes: Uint8Array, at: number, segment: number): void {
  bytes.fill(0, at, at + segmentRoom);
  bytes[at] = segmentMessageBytes;
  bytes[at + 8] = SOL_UDP;
  bytes[at + 12] = UDP_SEGMENT;
  bytes[at + headBytes] = segment & 0xff;
  bytes[at + headBytes + 1] = segment >>> 8;
}

function lay(
  address: number,
  length: number,
  name: number,
  nameBytes: number,
  control: number,
  controlBytes: number,
): void {
  setPointer(Field.name, name);
  words[Field.nameBytes] = nameBytes;
  setPointer(Field.control, control);
  words[Field.controlBytes] = controlBytes;
  setPointer(Field.base, address);
  words[Field.length] = length;
}
