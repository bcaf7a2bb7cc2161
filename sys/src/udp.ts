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

/** struct sockaddr_in6, padded; behind it room for one control message: struct cmsghdr 16, struct in6_pktinfo 20, padded. */
const nameRoom = 32;
const controlRoom = 40;
const nameMax = 28;
/** Where struct in_pktinfo and struct in6_pktinfo have the number of the interface, within the control message. */
const indexAt = { [SOL_IP]: 16, [SOL_IPV6]: 32 } as const;
const levelAt = 8;

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
const sendMessage: (fd: number, message: number, flags: number) => number = native(
  'int64_t sendmsg(int, uintptr_t, int)',
);

function setPointer(field: number, address: number): void {
  words[field] = address >>> 0;
  words[field + 1] = Math.floor(address / wordBase);
}

setPointer(Field.parts, message.address + 56);
words[Field.partCount] = 1;

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
  const slab = nativeSlab(nameRoom + controlRoom);
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
 * Receives one datagram to memory at `address`, and its endpoint. Returns its bytes, cut at `length`, or -errno (-EAGAIN: none is there;
 * -ECONNREFUSED: one that was sent found nobody).
 */
export function receiveFrom(fd: number, address: number, length: number, from: Endpoint): number {
  lay(address, length, from, nameMax, controlRoom);
  const count = recvMessage(fd, message.address, MSG_DONTWAIT);
  if (count < 0) return -lastErrno();
  from.nameBytes = words[Field.nameBytes] ?? 0;
  from.controlBytes = words[Field.controlBytes] ?? 0;
  if (from.controlBytes > 0) {
    // By which card it came binds no answer.
    const level = from.slab.bytes[nameRoom + levelAt] === SOL_IP ? SOL_IP : SOL_IPV6;
    const at = nameRoom + indexAt[level];
    from.slab.bytes.fill(0, at, at + 4);
  }
  return count;
}

/** Sends one datagram. Returns its bytes, or -errno (-EAGAIN: no room, -EMSGSIZE: too long). */
export function sendTo(fd: number, address: number, length: number, to: Readonly<Endpoint>): number {
  lay(address, length, to, to.nameBytes, to.controlBytes);
  const count = sendMessage(fd, message.address, MSG_DONTWAIT | MSG_NOSIGNAL);
  return count >= 0 ? count : -lastErrno();
}

function lay(
  address: number,
  length: number,
  { slab }: Readonly<Endpoint>,
  nameBytes: number,
  controlBytes: number,
): void {
  setPointer(Field.name, slab.address);
  words[Field.nameBytes] = nameBytes;
  setPointer(Field.control, slab.address + nameRoom);
  words[Field.controlBytes] = controlBytes;
  setPointer(Field.base, address);
  words[Field.length] = length;
}
