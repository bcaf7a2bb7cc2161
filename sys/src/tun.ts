import { closeFd, ownFd } from './descriptors.ts';
import { checked } from './errno.ts';
import { native } from './ffi.ts';
import { interfaceNameInto } from './interface-name.ts';
import { ioctl } from './libc.ts';
import { nativeSlab, nativeText, wordSlab } from './slab.ts';

const O_RDWR = 2;
const O_NONBLOCK = 0x800;
const O_CLOEXEC = 0x80000;
const IFF_TUN = 1;
const IFF_TAP = 2;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUNSETIFF = 0x4004_54ca;
const TUNGETIFF = 0x8004_54d2;
const TUNSETOFFLOAD = 0x4004_54d0;
const TUNSETVNETHDRSZ = 0x4004_54d8;
/** Checksums left to us, long segments of TCP over IPv4 and IPv6, with ECN; and of UDP (Linux 6.2): `linux/if_tun.h`. */
const TUN_F_TCP = 1 | 2 | 4 | 8;
const TUN_F_UDP = 32 | 64;
const TUNSETCARRIER = 0x4004_54e2;

const openPath: (path: number, flags: number, mode: number) => number = native('int open(uintptr_t, int, int)');

const device = nativeText('/dev/net/tun');

/** A TUN or TAP device: it lives as long as its descriptor is open. */
interface TunDevice {
  /** Non-blocking; one read or write is one frame (TAP) or one IP packet (TUN). */
  readonly fd: number;
  /** The name the kernel gave. */
  readonly ifname: string;
}

/**
 * Makes a TAP device (Ethernet frames without a header before them) in the calling thread's network namespace. A `%d` in the name is
 * replaced by a number. Needs CAP_NET_ADMIN. Throws ErrnoError (EBUSY: the name is taken; ENOENT: the kernel has no TUN), UserError for an impossible name.
 */
export function openTap(name: string): TunDevice {
  return openDevice(name, IFF_TAP | IFF_NO_PI);
}

/** Makes a TUN device; otherwise like {@link openTap}. What stands before its IP packets {@link tunOffloads} says. */
export function openTun(name: string): TunDevice {
  return openDevice(name, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
}

/** What a TUN device and this kernel leave to who reads and writes its packets. */
export interface TunOffloads {
  /** Of struct virtio_net_hdr before every packet, bytes; 0: there is none, and packets are whole and no longer than the device's MTU. */
  readonly headerBytes: number;
  /** Segments of TCP may come as one long packet, and go as one. */
  readonly tcp: boolean;
  /** So may datagrams of UDP. */
  readonly udp: boolean;
}

/** struct virtio_net_hdr: flags 1, kind of segments 1, length of headers 2, of a segment 2, where the checksum begins 2, and its place from there 2. */
const vnetHeaderBytes = 10;

/** Asks a TUN device for long packets, as far as its kernel has them. Returns what it gives: nothing where the descriptor is no such device. */
export function tunOffloads(fd: number): TunOffloads {
  const request = nativeSlab(40);
  const known = ioctl(fd, TUNGETIFF, request.address) >= 0;
  const flags = (request.bytes[16] ?? 0) | ((request.bytes[17] ?? 0) << 8);
  const size = wordSlab(1);
  size.words[0] = vnetHeaderBytes;
  const headed = known && (flags & IFF_VNET_HDR) !== 0 && ioctl(fd, TUNSETVNETHDRSZ, size.address) === 0;
  if (!headed) return { headerBytes: 0, tcp: false, udp: false };
  // The argument is the number itself.
  const udp = ioctl(fd, TUNSETOFFLOAD, TUN_F_TCP | TUN_F_UDP) === 0;
  const tcp = udp || ioctl(fd, TUNSETOFFLOAD, TUN_F_TCP) === 0;
  return { headerBytes: vnetHeaderBytes, tcp, udp };
}

/** Pulls or plugs the cable of a TUN or TAP device: without carrier the kernel's routes over it are dead. Throws ErrnoError. */
export function setCarrier(fd: number, on: boolean): void {
  const argument = wordSlab(1);
  argument.words[0] = on ? 1 : 0;
  checked(ioctl(fd, TUNSETCARRIER, argument.address), 'set the carrier of a TUN device');
}

function openDevice(name: string, flags: number): TunDevice {
  // struct ifreq: name 16, flags 2, padding to 40.
  const request = nativeSlab(40);
  interfaceNameInto(request.bytes, name);
  request.bytes[16] = flags & 0xff;
  request.bytes[17] = flags >>> 8;
  const fd = ownFd(checked(openPath(device.address, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0), 'open /dev/net/tun'));
  try {
    checked(ioctl(fd, TUNSETIFF, request.address), `make the device ${name}`);
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  const end = request.bytes.indexOf(0);
  return { fd, ifname: new TextDecoder().decode(request.bytes.subarray(0, Math.min(end, 16))) };
}
