export { bestAead } from './aead.ts';
export type { Aead, AeadKey, Cipher } from './aead-form.ts';
export { monotonicMs } from './clock.ts';
export { forgetFlows } from './conntrack.ts';
export { closeFd } from './descriptors.ts';
export { FAILED, HANGUP, READABLE, WRITABLE } from './epoll.ts';
export * from './errno.ts';
export { readInto, writeFrom, writeTwo } from './file-io.ts';
export { listeningPorts } from './listening.ts';
export { EventLoop } from './loop.ts';
export { askForLinks, drainEvents, openFirewallMonitor, openRouteMonitor, readRouteEvents } from './netlink.ts';
export { inNetns } from './netns.ts';
export { ip, ipBatch, nftApply, nftCheck, nftList, readRuleset } from './network-commands.ts';
export { rawSocket } from './raw-socket.ts';
export { RouteSnapshot } from './route-snapshot.ts';
export { CommandError, run, runJson } from './run.ts';
export { hkdf, randomBytes } from './secrets.ts';
export { nativeSlab, type NativeSlab } from './slab.ts';
export { type SummedSlab, summedSlab } from './summed-slab.ts';
export * from './socket.ts';
export { decodeSocketAddress, encodeSocketAddress, type SocketAddress } from './socket-address.ts';
export * from './socket-options.ts';
export {
  copyEndpoint,
  type Endpoint,
  endpoint,
  joinReceived,
  receivedSegmentBytes,
  receiveFrom,
  sendTo,
  spreadByWord,
  tellLocalAddress,
  udpSocket,
} from './udp.ts';
export { queueMemory, unackedBytes } from './socket-queues.ts';
export { readSysctl, writeSysctl } from './sysctl.ts';
export { TcpInfo } from './tcp-info.ts';
export { receivedTrafficClass, setReceiveTrafficClass } from './traffic-class.ts';
export type { Timer } from './timers.ts';
export { openTap, openTun, setCarrier, type TunOffloads, tunOffloads } from './tun.ts';
export { runWorker, type WorkerContext } from './worker-context.ts';
export { WorkerHost } from './worker-host.ts';
