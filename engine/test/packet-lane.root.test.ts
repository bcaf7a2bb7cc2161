/** Two packet lanes between two namespaces, each with a real TUN device: what hosts send arrives, of any protocol. */
import { Path, readDatagramHeader } from '@tresse/core';
import {
  bestAead,
  bindAddress,
  closeFd,
  encodeSocketAddress,
  EventLoop,
  localName,
  nativeSlab,
  openTun,
  READABLE,
  receiveFrom,
  run,
  type SocketAddress,
  udpSocket,
} from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { PacketDriver } from '../src/worker/packet-driver.ts';
import { packetKeys } from '../src/worker/packet-keys.ts';
import { finish } from './peer.ts';

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
  driver: PacketDriver;
  sockets: number[];
}

const encoded = ({ address, port }: SocketAddress): Uint8Array => {
  const bytes = new Uint8Array(28);
  return bytes.subarray(0, encodeSocketAddress(bytes, address, port));
};

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
  const driver = new PacketDriver(side, loop, aead, 7, tun, new Map(paths.map((id) => [id, new Path(id)])));
  driver.setKeys(1, packetKeys(aead, new Uint8Array(32).fill(1), 1));
  const made: End = { netns, tun, driver, sockets: [] };
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
  const slab = nativeSlab(2_048);
  const from = nativeSlab(128);
  const header = { path: 0, key: 0, session: 0, number: 0 };
  loop.add(fd, READABLE, () => {
    for (let count = receiveFrom(fd, slab.address, 2_048, from.address); count > 0;) {
      if (readDatagramHeader(slab.bytes, 0, count, header))
        driver.receive(header, slab, count, from.bytes.slice(0, 16));
      count = receiveFrom(fd, slab.address, 2_048, from.address);
    }
  });
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
    ends[0]!.driver.setWay(path, ends[0]!.sockets[i]!, encoded(localName(ends[1]!.sockets[i]!)));
    ends[1]!.driver.setWay(path, ends[1]!.sockets[i]!);
  }
});

afterEach(async () => {
  for (const { tun, driver, sockets } of ends) {
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
  for (const { driver } of ends) {
    expect(driver.counters).toEqual({ forged: 0, unsent: 0, undelivered: 0 });
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
  expect(sums['sum_received_bidir_reverse']?.bytes ?? sums['sum_bidir_reverse']?.bytes).toBeGreaterThan(500_000);
});
