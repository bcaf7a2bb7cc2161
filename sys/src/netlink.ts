import { closeFd, ownFd } from './descriptors.ts';
import { checked, EAGAIN, EINTR } from './errno.ts';
import { bind, socket } from './libc.ts';
import { type RouteSink, readRouteMessages } from './netlink-messages.ts';
import { nativeSlab } from './slab.ts';
import { recvInto, sendFrom } from './socket.ts';

const AF_NETLINK = 16;
const SOCK_RAW_NONBLOCK_CLOEXEC = 0x80803;
const NETLINK_ROUTE = 0;
/** RTMGRP_LINK, _IPV4_IFADDR, _IPV4_ROUTE, _IPV6_IFADDR, _IPV6_ROUTE. */
const groups = 0x1 | 0x10 | 0x40 | 0x100 | 0x400;
const RTM_GETLINK = 18;
const NLM_F_REQUEST_DUMP = 0x301;

/** A kernel that fills 32 KiB in one datagram sends the rest in the next. */
const received = nativeSlab(65_536);

/** Datagrams taken in one call, so that a storm of changes cannot hold the loop. */
const datagramsMax = 64;

/**
 * A descriptor that turns READABLE when an interface, address or route of the calling thread's network namespace changes. The state of all interfaces follows at
 * once, as if each had just changed. Throws ErrnoError.
 */
export function openRouteMonitor(): number {
  const fd = ownFd(checked(socket(AF_NETLINK, SOCK_RAW_NONBLOCK_CLOEXEC, NETLINK_ROUTE), 'make a route monitor'));
  // struct sockaddr_nl: family 2, padding 2, port id 4, groups 4.
  const address = nativeSlab(12);
  const view = new DataView(address.bytes.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups, true);
  try {
    checked(bind(fd, address.address, 12), 'subscribe to route changes');
    requestLinks(fd);
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
      requestLinks(fd);
    } else readRouteMessages(received.bytes, count, sink);
  }
}

function requestLinks(fd: number): void {
  // struct nlmsghdr 16, struct ifinfomsg 16.
  const request = nativeSlab(32);
  const view = new DataView(request.bytes.buffer);
  view.setUint32(0, 32, true);
  view.setUint16(4, RTM_GETLINK, true);
  view.setUint16(6, NLM_F_REQUEST_DUMP, true);
  checked(sendFrom(fd, request.address, 32), 'ask for all interfaces');
}
