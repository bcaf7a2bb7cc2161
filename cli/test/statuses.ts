import type { DaemonStatus, PathStatus, UplinkStatus } from '@tresse/schema';

/** A path that carries. */
const path: PathStatus = {
  path: 1,
  uplink: 'dsl',
  state: 'up',
  rttMs: 31.2,
  minRttMs: 30.1,
  rateDownBps: 7.9e6,
  rateUpBps: 120_000,
  estimateBps: 1e6,
  bytesIn: 12_345_678,
  bytesOut: 1000,
  suspicions: 0,
  udp: 'open',
  strands: [
    { strand: 1, role: 'quick', state: 'answered', rttMs: 30, bytesIn: 1, bytesOut: 1 },
    { strand: 2, role: 'bulk', state: 'answered', rttMs: 30, bytesIn: 1, bytesOut: 1 },
    { strand: 3, role: 'bulk', state: 'answered', rttMs: 30, bytesIn: 1, bytesOut: 1 },
  ],
};

/** A path that carries packets too, of which so many were dropped on the way. */
export function packetPath(uplinkName: string, changes: Partial<NonNullable<PathStatus['packets']>> = {}): PathStatus {
  return {
    ...path,
    uplink: uplinkName,
    packets: {
      state: 'carries',
      rttMs: 32.4,
      jitterMs: 1.27,
      lossRatio: 0.004,
      queueMs: 12.2,
      deliveryBps: 7.4e6,
      datagramBytesMax: 1_452,
      bytesOut: { realtime: 172_000, interactive: 0, bulk: 8_000_000 },
      ...changes,
    },
  };
}

/** A line of a box, up and carrying unless told otherwise. */
export function uplink(name: string, changes: Partial<UplinkStatus> = {}): UplinkStatus {
  return {
    name,
    interface: name === 'dsl' ? 'wan1' : 'wan2',
    kind: name === 'dsl' ? 'adsl' : 'fibre',
    verdict: 'up',
    reason: 'the relay answers',
    sinceS: 3720,
    addresses: [{ address: '10.0.1.2', gateway: '10.0.1.1' }],
    direct: false,
    path,
    ...changes,
  };
}

/** An uplink that has no path. */
export function bareUplink(name: string, changes: Partial<UplinkStatus> = {}): UplinkStatus {
  const { path: _, ...rest } = uplink(name, changes);
  return rest;
}

/** A box of these lines. */
export function box(summary: string, uplinks: UplinkStatus[], changes: Partial<DaemonStatus> = {}): DaemonStatus {
  const paths = uplinks.flatMap((one) => (one.path ? [one.path] : []));
  return {
    kind: 'box',
    version: '0.1.0',
    pin: 'PIN',
    uptimeS: 3725,
    summary,
    uplinks,
    published: [],
    routes: [],
    sessions:
      paths.length === 0 ? [] : [{ peer: 'R', streams: 1, paths, counters: { chunksHedged: 1234, 'ack.late': 0 } }],
    counters: { 'loop.faults': 1 },
    warnings: [],
    ...changes,
  };
}

/** A relay with one box of two paths, one of them up. */
export const relay: DaemonStatus = {
  kind: 'relay',
  version: '0.1.0',
  pin: 'PIN',
  uptimeS: 59,
  summary: '1 of 2 boxes connected',
  uplinks: [],
  published: [],
  routes: [],
  sessions: [{ peer: 'home', streams: 2, paths: [path, { ...path, path: 2, state: 'down' }], counters: {} }],
  counters: {},
  warnings: [],
};

/** Ports of a relay: one that is used, one whose box is away. */
export const published: DaemonStatus['published'] = [
  {
    protocol: 'tcp',
    port: 80,
    box: 'home',
    to: ['192.168.7.10'],
    from: [],
    origin: 'configured',
    works: true,
    reason: 'open',
    streams: 2,
  },
  {
    protocol: 'udp',
    port: 53,
    box: 'home',
    to: ['192.168.7.10'],
    from: ['192.0.2.0/24'],
    origin: 'command',
    works: false,
    reason: 'home is not connected',
  },
];
