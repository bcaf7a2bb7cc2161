/** Ten thousand datagrams of each kind (or `TRESSE_DATAGRAMS`) against a relay's UDP port, and a box of good will beside them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import {
  defaultPacketPolicy,
  type DatagramHeader,
  datagramHeaderBytes,
  Path,
  sealCounterOf,
  type Session,
  writeDatagramHeader,
  writeU32,
} from '@tresse/core';
import { mutated, Prng } from '@tresse/kit';
import {
  type Aead,
  bestAead,
  closeFd,
  type Endpoint,
  endpoint,
  EventLoop,
  localName,
  nativeSlab,
  receiveFrom,
  sendTo,
} from '@tresse/sys';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { KidInstall } from '../src/index.ts';
import { readDatagrams } from '../src/worker/datagram-port.ts';
import { PacketDriver } from '../src/worker/packet-driver.ts';
import { firstKeyNumber, packetKeys, type PacketKeys } from '../src/worker/packet-keys.ts';
import { type PacketMember, RelayPackets } from '../src/worker/relay-packets.ts';
import { boundUdp, connectedPair, finish, Peer, socketCount, until } from './peer.ts';

const inputs = Number(process.env['TRESSE_DATAGRAMS'] ?? 10_000);
vi.setConfig({ testTimeout: 60_000 + inputs });
const seed = Number(process.env['TRESSE_SEED'] ?? 1);
const again = `TRESSE_SEED=${seed} vitest run --project unit engine/test/hostile-datagrams.test.ts`;

setFlagsFromString('--expose-gc');
/** What is merely not collected yet is no growth. */
const collectGarbage = runInNewContext('gc') as () => void;

const aead: Aead = bestAead('aes-256-gcm');
const numbers = { honest: 0x0101_0101, hostile: 0x0202_0202 };
const secrets = { honest: new Uint8Array(32).fill(1), hostile: new Uint8Array(32).fill(2) };
const tagBytes = 16;
/** Between two of these the relay reads all that has come: the kernel must drop none, or the counts are wrong. */
const lotSize = 64;
const lengthMax = 1_500;

class StandingPath extends Path {
  override get answered(): boolean {
    return true;
  }
}

let loop: EventLoop;
let prng: Prng;
let relay: RelayPackets;
let keys: Record<'honest' | 'hostile', PacketKeys>;
let members: { honest: PacketMember; hostile: PacketMember };
let box: PacketDriver;
/** What the relay hands to its TUN device comes out here. */
let hosts: Peer;
let sockets: { relay: number; box: number; stranger: number };
let tun: number;
let before: number;
let sent: number;
let answers: Buffer[];
let tell: () => Promise<void>;

const room = nativeSlab(2_048);
const to = (): Endpoint => endpoint('127.0.0.1', localName(sockets.relay).port);

function install(who: 'honest' | 'hostile'): KidInstall {
  const kid = new Uint8Array(8);
  writeU32(kid, 4, numbers[who]);
  return { kid, cipher: 'aes-256-gcm', secret: secrets[who] } as KidInstall;
}

const streamsOf = (): Parameters<RelayPackets['begin']>[0] => ({
  session: { paths: new Map([1, 2].map((id) => [id, new StandingPath(id)])) } as unknown as Session,
  sendDatagram: () => {},
});

/** An IPv4 packet of UDP from one of the boxes. */
function packet(from: number, length: number, number: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes[0] = 0x45;
  bytes.writeUInt16BE(length, 2);
  bytes[9] = 17;
  bytes.writeUInt32BE(from, 12);
  bytes.writeUInt32BE(0xc633_6407, 16);
  bytes.writeUInt16BE(4_000, 20);
  bytes.writeUInt32BE(number, length - 4);
  return bytes;
}

beforeEach(({ annotate, task }) => {
  before = socketCount();
  loop = new EventLoop();
  prng = new Prng(seed);
  [sent, answers] = [0, []];
  sockets = { relay: boundUdp(), box: boundUdp(), stranger: boundUdp() };
  const { near, far } = connectedPair(loop);
  tun = near;
  hosts = new Peer(loop, far);
  hosts.forgetful = true;
  keys = {
    honest: packetKeys(aead, secrets.honest, firstKeyNumber),
    hostile: packetKeys(aead, secrets.hostile, firstKeyNumber),
  };
  relay = new RelayPackets(loop, [sockets.relay], tun, () => {});
  members = {
    honest: relay.begin(streamsOf(), { ipv4: '10.0.0.1' }, defaultPacketPolicy),
    hostile: relay.begin(streamsOf(), { ipv4: '10.0.0.2' }, defaultPacketPolicy),
  };
  for (const who of ['honest', 'hostile'] as const) relay.addKey(members[who], install(who));
  box = new PacketDriver(
    'box',
    loop,
    new Map([[1, new StandingPath(1)]]),
    (slab, start, length) => answers.push(Buffer.from(slab.bytes.subarray(start, start + length))),
    () => {},
  );
  box.addKey(numbers.honest, aead, secrets.honest);
  readDatagrams(
    loop,
    sockets.box,
    (header, slab, start, length, fd, from) => void box.receive(header, slab, start, length, fd, from),
    () => {},
  );
  loop.afterBatch(() => {
    box.afterBatch();
    for (const member of Object.values(members)) member.driver.afterBatch();
  });
  box.setWay(1, sockets.box, to());
  tell = async (): Promise<void> => {
    collectGarbage();
    const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
    await annotate(`${task.name.split(':')[0]}: ${sent} sent, ${megabytes} MB, ${socketCount()} sockets`, 'siege');
  };
});

afterEach(() => {
  exchange();
  for (const member of Object.values(members)) relay.end(member);
  box.end();
  hosts.reset();
  for (const fd of [sockets.relay, sockets.box, sockets.stranger, tun]) {
    loop.remove(fd);
    closeFd(fd);
  }
  finish(loop);
  expect(socketCount(), again).toBe(before);
});

/** Gives packets until one has come: on a machine that is busy a path may be silent for a moment, and what waits too long is dropped. */
function insist(give: () => void, came: () => boolean, what: string): void {
  const times = { turns: 0 };
  until(
    loop,
    () => {
      if (came()) return true;
      if (times.turns++ % 200 === 0) give();
      return false;
    },
    `${what} (${again})`,
  );
}

/** The honest box's packet comes to the relay's TUN device, and one that comes there to it. */
function exchange(): void {
  const start = hosts.heardBytes;
  insist(
    () => box.handleLocal(packet(0x0a00_0001, 500, 7), 0, 500),
    () => hosts.heardBytes >= start + 500,
    'a packet of good will',
  );
  const had = answers.length;
  const answer = packet(0xc633_6407, 400, 8);
  answer.writeUInt32BE(0xc633_6407, 12);
  answer.writeUInt32BE(0x0a00_0001, 16);
  insist(
    () => members.honest.driver.handleLocal(answer, 0, 400),
    () => answers.length > had,
    'an answer to it',
  );
  expect(answers.at(-1)?.equals(answer), again).toBe(true);
}

/** Whatever was sent to the stranger: there must be nothing. */
function heardByStranger(): number {
  let count = 0;
  for (const from = endpoint(); receiveFrom(sockets.stranger, room.address, 2_048, from) >= 0;) count++;
  return count;
}

/** What became of all that came to the port. */
function counted(): number {
  const { datagramsStrange, datagramsUnknown } = relay.counters;
  const { honest, hostile } = members;
  const drivers = [honest.driver, hostile.driver];
  return drivers.reduce(
    (sum, { counters }) => sum + counters.forged + counters.strayed,
    datagramsStrange + datagramsUnknown,
  );
}

/** Sends so many, some at a time, and the box of good will has its turn among them. */
async function assail(input: () => Uint8Array, answered = false): Promise<void> {
  const target = to();
  await tell();
  for (let left = inputs; left > 0; left -= lotSize) {
    for (let i = Math.min(left, lotSize); i > 0; i--) {
      const bytes = input();
      room.bytes.set(bytes.subarray(0, lengthMax));
      sendTo(sockets.stranger, room.address, Math.min(lengthMax, bytes.length), target);
      sent++;
    }
    loop.turn(0);
    loop.turn(0);
    if (left % (lotSize * 100) < lotSize) {
      exchange();
      const heard = heardByStranger();
      if (!answered) expect(heard, again).toBe(0);
    }
    // oxlint-disable-next-line no-await-in-loop -- memory is looked at in the midst of it
    if (sent % Math.ceil(inputs / 8) < lotSize) await tell();
  }
  for (let i = 0; i < 4; i++) loop.turn(1);
  await tell();
}

const random = (length: number): Buffer => Buffer.from(Array.from({ length }, () => prng.u32() & 0xff));

/** A datagram as a box would seal it. */
function sealed(who: 'honest' | 'hostile', path: number, number: number, body: Uint8Array): Buffer {
  const header: DatagramHeader = { path, key: firstKeyNumber, session: numbers[who], number };
  writeDatagramHeader(room.bytes, 0, header);
  room.bytes.set(body, datagramHeaderBytes);
  const { up } = keys[who];
  aead.seal(up, sealCounterOf(path, number), room, 0, datagramHeaderBytes, datagramHeaderBytes, body.length);
  return Buffer.from(room.bytes.subarray(0, datagramHeaderBytes + body.length + tagBytes));
}

/** A packet in a body: interactive, of its own bucket. */
function bodyOf(number: number, inner: Uint8Array): Buffer {
  const prefix = Buffer.alloc(7);
  prefix[0] = 1;
  prefix.writeUInt16BE(number & 0xfff, 1);
  prefix.writeUInt32BE(number, 3);
  return Buffer.concat([prefix, inner]);
}

/** Datagrams of good will that have come to the relay's port, for whoever listens on the way. */
function overhear(count: number): Buffer[] {
  const heard = Array.from({ length: count }, (_, i) =>
    sealed('honest', 2, i, bodyOf(i, packet(0x0a00_0001, 60 + ((i * 37) % 1_300), i))),
  );
  for (const bytes of heard) {
    room.bytes.set(bytes);
    sendTo(sockets.box, room.address, bytes.length, to());
    loop.turn(0);
  }
  until(loop, () => !members.honest.driver.lane.fresh(2, count - 1), 'good will');
  return heard;
}

test('noise: any bytes of any length', async () => {
  await assail(() => random(prng.chance(0.1) ? prng.int(0, 1_500) : prng.int(0, 80)));
  expect(counted(), again).toBe(inputs);
});

test('guesses: heads as they should be, with and without a session, and what nobody sealed', async () => {
  await assail(() => {
    const bytes = random(prng.int(34, 200));
    const session = [numbers.honest, numbers.hostile, prng.u32()][prng.int(0, 2)] ?? 0;
    const key = prng.chance(0.8) ? firstKeyNumber : prng.int(0, 0xffff);
    writeDatagramHeader(bytes, 0, {
      path: prng.int(1, 255),
      key,
      session,
      number: Math.floor(prng.logUniform(1, 2 ** 44)),
    });
    return bytes;
  });
  expect(counted(), again).toBe(inputs);
  expect(relay.counters.datagramsUnknown, again).toBeGreaterThan(inputs / 6);
});

test('copies: what was overheard comes again, from elsewhere', async () => {
  const heard = overhear(500);
  const came = hosts.heardBytes;
  await assail(() => heard[prng.int(0, heard.length - 1)] ?? heard[0]!);
  expect(members.honest.driver.counters.forged, again).toBe(inputs);
  // Nothing of it reached the hosts, but for what the box of good will sent meanwhile.
  expect((hosts.heardBytes - came) % 500, again).toBe(0);
});

test('damage: what was overheard, altered on the way', async () => {
  const heard = overhear(500);
  await assail(() => mutated(prng, heard[prng.int(0, heard.length - 1)] ?? heard[0]!));
  expect(counted(), again).toBe(inputs);
});

/** Bodies a box might send, before somebody has damaged them. */
function someBody(number: number): Buffer {
  const report = Buffer.alloc(30);
  report[0] = 0x10;
  report[1] = prng.int(0, 3);
  report.writeUIntBE(prng.int(0, 200), 2, 6);
  report.writeUIntBE(prng.int(0, 200), 16, 6);
  report.writeUIntBE(Math.floor(prng.logUniform(1, 2 ** 40)), 22, 6);
  const from = prng.chance(0.3) ? 0x0a00_0002 : prng.u32();
  const whole = bodyOf(number, packet(from, prng.int(40, 1_400), number));
  whole[0] = prng.int(0, 7);
  const piece = Buffer.concat([whole.subarray(0, 7), random(3), random(prng.int(1, 700))]);
  piece[0] = 0x30 | prng.int(0, 7);
  return [report, whole, piece, random(prng.int(1, 100))][prng.int(0, 3)] ?? report;
}

test('lies: bodies that a box with a good key makes up', async () => {
  let number = 0;
  await assail(() => {
    number += prng.chance(0.9) ? 1 : prng.int(2, 100_000);
    const text = prng.chance(0.5) ? mutated(prng, someBody(number)) : someBody(number);
    const path = prng.chance(0.9) ? prng.int(1, 2) : prng.int(3, 255);
    return sealed('hostile', path, number, text.length === 0 ? Buffer.of(0) : text.subarray(0, 1_450));
  }, true);
  const { counters, lane } = members.hostile.driver;
  expect(counters.forged, again).toBe(0);
  expect(counters.strayed, again).toBeGreaterThan(inputs / 20);
  expect(lane.malformed, again).toBeGreaterThan(inputs / 8);
  expect(relay.counters.packetsSpoofed, again).toBeGreaterThan(0);
  expect(members.honest.driver.counters, again).toEqual({ forged: 0, strayed: 0, unsent: 0 });
  expect(
    answers.every((bytes) => bytes.readUInt32BE(16) === 0x0a00_0001),
    again,
  ).toBe(true);
});
