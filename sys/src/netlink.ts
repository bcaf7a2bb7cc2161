import { closeFd, ownFd } from './descriptors.ts';
import { checked, EAGAIN, EINTR } from './errno.ts';
import { bind, socket } from './libc.ts';
import { type RouteSink, readRouteMessages } from './netlink-messages.ts';
import { nativeSlab } from './slab.ts';
import { recvInto, sendFrom } from './socket.ts';

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 0x80803;
const NETLINK_ROUTE = 0;
/** RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV4_RULE, _IPV6_IFADDR, _IPV6_ROUTE, and RTNLGRP_IPV6_RULE (19). */
const groups = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400 | 0x4_0000;
const RTM_GETLINK = 18;
const NLM_F_REQUEST_DUMP = 0x301;

/** A kernel that fills 32 KiB in one datagram sends the rest in the next. */
const received = nativeSlab(65_536);

/** Datagrams taken in one call, so that a storm of changes cannot hold the loop. */
const datagramsMax = 64;

const NETLINK_NETFILTER = 12;
/** NFNLGRP_NFTABLES (7) as a bit. */
const nftablesGroup = 0x40;

/**
 * A descriptor that turns READABLE when somebody changes an nftables rule of the calling thread's network namespace; see
 * {@link drainEvents}. Throws ErrnoError.
 */
export function openFirewallMonitor(): number {
  return openMonitor(NETLINK_NETFILTER, nftablesGroup, 'subscribe to firewall changes');
}

/** Takes what a monitor has, unread. Returns whether there was anything, lost messages included. */
export function drainEvents(fd: number): boolean {
  for (let i = 0; i < datagramsMax; i++) {
    const count = recvInto(fd, received.address, received.bytes.length);
    if (count === -EAGAIN || count === -EINTR) return i > 0;
  }
  return true;
}

function openMonitor(family: number, wanted: number, action: string): number {
  const fd = ownFd(checked(socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, family), action));
  // struct sockaddr_nl: family 2, padding 2, port id 4, groups 4.
  const address = nativeSlab(12);
  const view = new DataView(address.bytes.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, wanted, true);
  try {
    checked(bind(fd, address.address, 12), action);
    return fd;
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/**
 * A descriptor that turns READABLE when an interface, address, route or routing rule of the calling thread's network namespace changes. The state of all interfaces follows at
 * once, as if each had just changed. Throws ErrnoError.
 */
export function openRouteMonitor(): number {
  const fd = openMonitor(NETLINK_ROUTE, groups, 'subscribe to route changes');
  try {
    askForLinks(fd);
  } catch (error) {
    closeFd(fd);
    throw error;
  }
  return fd;
}

/** Reads what the monitor has, whenever it is READABLE; when much is left it stays so. Allocates little. Throws what `sink` throws, and ErrnoError. */
export function readRouteEvents(fd: number, sink: RouteSink): void {
  for (let i = 0; i < datagramsMax; i++) {
    const count = recvInto(fd, received.address, received.bytes.length);
    if (count === -EAGAIN || count === -EINTR) return;
    // ENOBUFS: messages were lost, of a link perhaps that is down now. What is still there follows, then all links anew.
    if (count < 0) {
      sink.onOther();
      askForLinks(fd);
    } else readRouteMessages(received.bytes, count, sink);
  }
}

/** Has the monitor tell the state of all interfaces again. Throws ErrnoError. */
export function askForLinks(fd: number): void {
  // struct nlmsghdr 16, struct ifinfomsg 16.
  const request = nativeSlab(32);
  const view = new DataView(request.bytes.buffer);
  view.setUint32(0, 32, true);
  view.setUint16(4, RTM_GETLINK, true);
  view.setUint16(6, NLM_F_REQUEST_DUMP, true);
  checked(sendFrom(fd, request.address, 32), 'ask for all interfaces');
}
