/** Options of sockets. Setters throw {@link ErrnoError} unless said otherwise; no call allocates. */
import { checked, ErrnoError } from './errno.ts';
import { lastErrno } from './ffi.ts';
import { interfaceNameInto } from './interface-name.ts';
import { nativeSlab, wordSlab } from './slab.ts';
import { getSocketOption, setNumber, setSocketOption, SOL_IP, SOL_IPV6 } from './socket-option-calls.ts';

const SOL_SOCKET = 1;
const SOL_TCP = 6;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_KEEPALIVE = 9;
const SO_LINGER = 13;
const SO_REUSEPORT = 15;
const SO_RCVLOWAT = 18;
const SO_BINDTODEVICE = 25;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_MARK = 36;
const SO_MAX_PACING_RATE = 47;
const SO_BUF_LOCK = 72;
const SOCK_RCVBUF_LOCK = 2;
const IP_TRANSPARENT = 19;
const IP_BIND_ADDRESS_NO_PORT = 24;
const IPV6_V6ONLY = 26;
const IPV6_TRANSPARENT = 75;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_CONGESTION = 13;
const TCP_USER_TIMEOUT = 18;
const TCP_NOTSENT_LOWAT = 25;

/** 300 Mbit/s over 100 ms. */
const ampleBufferBytes: number = 4 * 1_048_576;

const pair = wordSlab(2);
const size = wordSlab(1);
const text = nativeSlab(16);

/** Sends small pieces at once (no Nagle). */
export function setNoDelay(fd: number): void {
  setNumber(fd, SOL_TCP, TCP_NODELAY, 1, 'set TCP_NODELAY');
}

/** Lets a listener take a port that old connections still hold. */
export function setReuseAddress(fd: number): void {
  setNumber(fd, SOL_SOCKET, SO_REUSEADDR, 1, 'set SO_REUSEADDR');
}

/** Lets several listeners of one user share a port; the kernel spreads connections over them. Before `bind`. */
export function setReusePort(fd: number): void {
  setNumber(fd, SOL_SOCKET, SO_REUSEPORT, 1, 'set SO_REUSEPORT');
}

/** The socket turns READABLE only with so many bytes to receive, or at the end (tcp(7); 1 unless set). */
export function setReceiveLowat(fd: number, bytes: number): void {
  setNumber(fd, SOL_SOCKET, SO_RCVLOWAT, bytes, 'set SO_RCVLOWAT');
}

/** An IPv6 socket takes IPv4 too (`false`), or not. */
export function setV6Only(fd: number, on: boolean): void {
  setNumber(fd, SOL_IPV6, IPV6_V6ONLY, on ? 1 : 0, 'set IPV6_V6ONLY');
}

/** Leaves and enters by this interface only (1 to 15 characters). Throws UserError `INTERFACE_NAME`, ErrnoError (ENODEV). */
export function bindDevice(fd: number, ifname: string): void {
  interfaceNameInto(text.bytes, ifname);
  checked(setSocketOption(fd, SOL_SOCKET, SO_BINDTODEVICE, text.address, 16), `bind to the interface ${ifname}`);
}

/** Marks the packets sent (unsigned 32 bits), for rules and nftables. Needs CAP_NET_ADMIN. */
export function setMark(fd: number, mark: number): void {
  setNumber(fd, SOL_SOCKET, SO_MARK, mark, 'set SO_MARK');
}

/** Lets the socket answer for addresses that are not the machine's own (tproxy). Needs CAP_NET_ADMIN. */
export function setTransparent(fd: number, family: 4 | 6): void {
  if (family === 4) setNumber(fd, SOL_IP, IP_TRANSPARENT, 1, 'set IP_TRANSPARENT');
  else setNumber(fd, SOL_IPV6, IPV6_TRANSPARENT, 1, 'set IPV6_TRANSPARENT');
}

/** A bind without port reserves none before `connect`. */
export function setBindWithoutPort(fd: number): void {
  setNumber(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1, 'set IP_BIND_ADDRESS_NO_PORT');
}

/** `true`: a close, and so a crash, is a reset to the peer. `false`: a close is an orderly one. Never throws. */
export function setLingerReset(fd: number, on: boolean): void {
  pair.words[0] = on ? 1 : 0;
  pair.words[1] = 0;
  setSocketOption(fd, SOL_SOCKET, SO_LINGER, pair.address, 8);
}

/** Chooses the congestion control, for example `bbr`. Returns false when the kernel has or allows no such one. */
export function setCongestionControl(fd: number, name: string): boolean {
  const encoded = new TextEncoder().encode(name).subarray(0, 15);
  text.bytes.fill(0);
  text.bytes.set(encoded);
  return setSocketOption(fd, SOL_TCP, TCP_CONGESTION, text.address, encoded.length) >= 0;
}

/** The congestion control in use. */
export function congestionControl(fd: number): string {
  text.bytes.fill(0);
  size.words[0] = 16;
  checked(getSocketOption(fd, SOL_TCP, TCP_CONGESTION, text.address, size.address), 'ask for the congestion control');
  return new TextDecoder().decode(text.bytes.subarray(0, text.bytes.indexOf(0)));
}

/** The socket is WRITABLE only while fewer bytes than this wait unsent. */
export function setNotSentLowat(fd: number, bytes: number): void {
  setNumber(fd, SOL_TCP, TCP_NOTSENT_LOWAT, bytes, 'set TCP_NOTSENT_LOWAT');
}

/** Sends no faster than this many bytes a second; Infinity lifts the limit. */
export function setMaxPacingRate(fd: number, bytesPerSecond: number): void {
  const limited = Number.isFinite(bytesPerSecond);
  pair.words[0] = limited ? bytesPerSecond : 0xffff_ffff;
  pair.words[1] = limited ? Math.floor(bytesPerSecond / 0x1_0000_0000) : 0xffff_ffff;
  checked(setSocketOption(fd, SOL_SOCKET, SO_MAX_PACING_RATE, pair.address, 8), 'set SO_MAX_PACING_RATE');
}

/** Bounds the receive buffer (the kernel doubles the number and stops growing it by itself); beyond net.core.rmem_max with CAP_NET_ADMIN. */
export function setReceiveBuffer(fd: number, bytes: number): void {
  setBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, bytes, 'set SO_RCVBUF');
}

/**
 * Whether the kernel leaves the receive buffer as large as it is, or grows it by itself for one who reads. Returns false where
 * it cannot be told (before Linux 5.14).
 */
export function holdReceiveBuffer(fd: number, hold: boolean): boolean {
  pair.words[0] = hold ? SOCK_RCVBUF_LOCK : 0;
  return setSocketOption(fd, SOL_SOCKET, SO_BUF_LOCK, pair.address, 4) >= 0;
}

/** Lets the kernel grow by itself again what {@link setReceiveBuffer} has bounded; before Linux 5.14 up to a fixed size. */
export function freeReceiveBuffer(fd: number): void {
  if (!holdReceiveBuffer(fd, false)) setReceiveBuffer(fd, ampleBufferBytes);
}

/** Bounds the send buffer; otherwise like {@link setReceiveBuffer}. */
export function setSendBuffer(fd: number, bytes: number): void {
  setBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, bytes, 'set SO_SNDBUF');
}

/** Asks a silent peer after `idleS` seconds, then every `intervalS`, and gives up after `count` unanswered. */
export function setKeepAlive(fd: number, idleS: number, intervalS: number, count: number): void {
  setNumber(fd, SOL_SOCKET, SO_KEEPALIVE, 1, 'set SO_KEEPALIVE');
  setNumber(fd, SOL_TCP, TCP_KEEPIDLE, idleS, 'set TCP_KEEPIDLE');
  setNumber(fd, SOL_TCP, TCP_KEEPINTVL, intervalS, 'set TCP_KEEPINTVL');
  setNumber(fd, SOL_TCP, TCP_KEEPCNT, count, 'set TCP_KEEPCNT');
}

/** The connection fails with ETIMEDOUT when sent bytes stay unacknowledged this long (milliseconds). */
export function setUserTimeout(fd: number, timeoutMs: number): void {
  setNumber(fd, SOL_TCP, TCP_USER_TIMEOUT, timeoutMs, 'set TCP_USER_TIMEOUT');
}

/** The pending error (positive errno), 0 when there is none. Clears it. Throws ErrnoError (EBADF, ENOTSOCK). */
export function socketError(fd: number): number {
  size.words[0] = 4;
  checked(getSocketOption(fd, SOL_SOCKET, SO_ERROR, pair.address, size.address), 'ask for the error of a socket');
  return pair.words[0] ?? 0;
}

/** Reads an option into memory of the caller. Returns the bytes filled, or -errno. Allocates nothing. */
export function optionInto(fd: number, level: number, option: number, address: number, length: number): number {
  size.words[0] = length;
  return getSocketOption(fd, level, option, address, size.address) < 0 ? -lastErrno() : (size.words[0] ?? 0);
}

function setBuffer(fd: number, forced: number, ordinary: number, bytes: number, action: string): void {
  pair.words[0] = bytes;
  if (setSocketOption(fd, SOL_SOCKET, forced, pair.address, 4) >= 0) return;
  if (setSocketOption(fd, SOL_SOCKET, ordinary, pair.address, 4) < 0) throw new ErrnoError(action, lastErrno());
}
