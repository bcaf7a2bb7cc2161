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
const TUNSETIFF = 0x4004_54ca;
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

/** Makes a TUN device (IP packets without a header before them); otherwise like {@link openTap}. */
export function openTun(name: string): TunDevice {
  return openDevice(name, IFF_TUN | IFF_NO_PI);
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
