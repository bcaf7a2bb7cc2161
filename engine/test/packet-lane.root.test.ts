/** Two packet lanes between two namespaces, each with a real TUN device: what hosts send arrives, of any protocol. */
import { Path } from '@tresse/core';
import { bestAead, bindAddress, closeFd, EventLoop, openTun, run, udpSocket } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { readDatagrams } from '../src/worker/datagram-port.ts';
import { PacketDriver } from '../src/worker/packet-driver.ts';
import { TunDevice } from '../src/worker/tun-device.ts';
import { endpointOf, finish } from './peer.ts';

const aead = bestAead('aes-256-gcm');
const paths = [1, 2];
/** An inner packet and all that goes around it fit into 1,500 bytes, over IPv6 too. */
const mtu = 1_413;
const prefix = `tpk${process.pid % 10_000}`;

let loop: EventLoop;
let ends: End[];

interface End {
  netns: string;
  tun: number;
  device: TunDevice;
  driver: PacketDriver;
  sockets: number[];
}

async function end(side: 'box' | 'relay', host: number): Promise<End> {
  const netns = `${prefix}-${side}`;
  const { fd: tun, ifname } = openTun(`${prefix}%d`);
  const commands = [
    `netns add ${netns}`,
    `link set ${ifname} netns ${netns}`,
    `-n ${netns} link set lo up`,
    `-n ${netns} addr add 10.99.0.${host}/24 dev ${ifname}`,
    `-n ${netns} addr add fd99::${host}/64 dev ${ifname} nodad`,
    `-n ${netns} link set ${ifname} mtu ${mtu} up`,
  ];
  await inTurn(commands);
  const driver = new PacketDriver(
    side,
    loop,
    new Map(paths.map((id) => [id, new Path(id)])),
    (slab, start, length) => device.write(slab, start, length),
    () => {},
    undefined,
    () => true,
  );
  const device = new TunDevice(loop, tun, (bytes, from, to) => driver.handleLocal(bytes, from, to));
  driver.addKey(7, aead, new Uint8Array(32).fill(1));
  loop.afterBatch(() => {
    driver.afterBatch();
    device.afterBatch();
  });
  const made: End = { netns, tun, device, driver, sockets: [] };
  for (const path of paths) made.sockets.push(listening(driver, 100 * host + path));
  return made;
}

/** Runs `ip` commands one after the other. */
async function inTurn([first, ...rest]: readonly string[]): Promise<void> {
  if (first === undefined) return;
  await run(['ip', ...first.split(' ')]);
  await inTurn(rest);
}

/** A socket on loopback whose datagrams are the driver's. */
function listening(driver: PacketDriver, place: number): number {
  const fd = udpSocket(4);
  bindAddress(fd, `127.99.${process.pid % 250}.${1 + (place % 250)}`, 7_443);
  readDatagrams(
    loop,
    fd,
    (header, slab, start, length, socket, from) => driver.receive(header, slab, start, length, socket, from),
    () => driver.counters.forged++,
  );
  return fd;
}

/** Turns the loop while commands run. */
async function meanwhile<R>(work: Promise<R>): Promise<R> {
  const state = { over: false };
  const watched = work.finally(() => {
    state.over = true;
  });
  watched.catch(() => {});
  await new Promise<void>((resolve) => {
    const turn = (): void => {
      loop.turn(1);
      if (state.over) resolve();
      else setImmediate(turn);
    };
    turn();
  });
  return await watched;
}

const inBox = (command: string): Promise<string> =>
  meanwhile(run(command.split(' '), { netns: ends[0]!.netns, timeoutMs: 15_000 }));

beforeEach(async () => {
  loop = new EventLoop();
  ends = [await end('box', 1), await end('relay', 2)];
  for (const [i, path] of paths.entries()) {
    ends[0]!.driver.setWay(path, ends[0]!.sockets[i]!, endpointOf(ends[1]!.sockets[i]!));
  }
});

afterEach(async () => {
  for (const { tun, device, driver, sockets } of ends) {
    device.end();
    driver.end();
    for (const fd of sockets) {
      loop.remove(fd);
      closeFd(fd);
    }
    closeFd(tun);
  }
  await Promise.all(ends.map(({ netns }) => run(['ip', 'netns', 'delete', netns])));
  finish(loop);
});

test.each([
  ['IPv4', 'ping -c 40 -i 0.01 -W 2 10.99.0.2'],
  ['IPv6', 'ping -c 40 -i 0.01 -W 2 fd99::2'],
  ['fragments', 'ping -c 10 -i 0.01 -W 2 -s 6000 10.99.0.2'],
])('ping, %s: all are answered', async (_, command) => {
  expect(await inBox(command)).toContain(' 0% packet loss');
  for (const { driver, device } of ends) {
    expect(device.undelivered).toBe(0);
    expect(driver.counters).toEqual({ forged: 0, strayed: 0, unsent: 0 });
    expect(driver.lane.malformed).toBe(0);
  }
});

test.each([
  ['TCP', ''],
  ['UDP', '-u -b 20M -l 1300'],
])('%s over the lane goes through, both ways', async (_, how) => {
  const server = run(['iperf3', '-s', '-1', '-p', '5301'], { netns: ends[1]!.netns, timeoutMs: 20_000 });
  await meanwhile(new Promise((resolve) => setTimeout(resolve, 300)));
  const text = await inBox(`iperf3 -J -c 10.99.0.2 -p 5301 -t 1 --bidir ${how}`.trim());
  await meanwhile(server);
  const { end: sums } = JSON.parse(text) as { end: Record<string, { bytes: number }> };
  expect(sums['sum_received']?.bytes ?? sums['sum']?.bytes).toBeGreaterThan(500_000);
  for (const { device } of ends) {
    expect(device.undelivered + device.malformed).toBe(0);
    // iperf3 sends each datagram by itself; they come together, though.
    if (how === '') expect(device.longIn).toBeGreaterThan(0);
    expect(device.longOut).toBeGreaterThan(0);
  }
  expect(sums['sum_received_bidir_reverse']?.bytes ?? sums['sum_bidir_reverse']?.bytes).toBeGreaterThan(500_000);
});
