import { openingAadBytes, openingBytes, openingTextBytes, StrandRole, workerOfKid, writeOpening } from '@tresse/core';
import { bestAead, EventLoop, nativeSlab, randomBytes } from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { type KidInstall, localLimits, type RelayEngine, startRelayEngine } from '../src/index.ts';
import { strandKeys } from '../src/worker/strand-keys.ts';
import { finish, Peer, socketCount } from './peer.ts';
import { freePort, soon } from './wait.ts';

const workers = 2;
const aead = bestAead('aes-256-gcm');
const secret = new Uint8Array(32).fill(4);

let loop: EventLoop;
let engine: RelayEngine | undefined;
let port: number;
let before: number;
let faults: string[];
let peers: Peer[];

beforeEach(async () => {
  before = socketCount();
  loop = new EventLoop();
  faults = [];
  peers = [];
  port = await freePort();
  engine = start();
  await engine.ready;
});

afterEach(async () => {
  for (const peer of peers) peer.close();
  await engine?.stop();
  finish(loop);
  await soon(() => socketCount() === before, 'all sockets closed', loop);
});

const start = (): RelayEngine =>
  startRelayEngine(
    { listen: [{ address: '127.0.0.1', port }], allowPrivate: [], workers },
    { onReady: () => {}, onLog: () => {}, onFault: (stack) => faults.push(stack) },
  );

let kids = 0;

/** A handshake of a box: its key is one whose session is where the box's is. */
async function admit(box: string): Promise<KidInstall> {
  const place = engine!.place(box);
  if (!place) throw new Error('its worker does not run');
  const kid = new Uint8Array(8).fill(++kids);
  while (!place.fits(kid)) kid[7]!++;
  const install: KidInstall = {
    kid,
    secret,
    cipher: 'aes-256-gcm',
    sessionKey: `${box} ${place.incarnation}`,
    peer: box,
    limits: localLimits,
    revision: engine!.revisionOf(box),
  };
  await engine!.installKid(install);
  return install;
}

let strands = 0;

function opening(kid: Uint8Array): Buffer {
  const slab = nativeSlab(openingBytes);
  const salt = randomBytes(16);
  writeOpening(slab.bytes, 0, kid, salt, { strand: ++strands, path: 1, role: StrandRole.quick });
  aead.seal(strandKeys(aead, secret, salt).up, 0, slab, 0, openingAadBytes, openingAadBytes, openingTextBytes);
  return Buffer.from(slab.bytes);
}

/** Strands of a session, each answered. */
async function open(kid: Uint8Array, count: number): Promise<Peer[]> {
  const opened = Array.from({ length: count }, () => Peer.connect(loop, port).send(opening(kid)));
  peers.push(...opened);
  await soon(() => opened.every((one) => one.heardBytes > 0), 'their answers', loop);
  return opened;
}

const counters = async (): Promise<Readonly<Record<string, number>>> => (await engine!.status()).counters;
const strandsOf = async (box: string): Promise<number | undefined> =>
  (await engine!.status()).sessions.find((one) => one.peer === box)?.paths[0]?.strands.length;

test('boxes are spread over the workers, and each strand finds its session wherever it came in', async () => {
  const boxes = ['a', 'b', 'c', 'd'];
  const installs = await boxes.reduce<Promise<KidInstall[]>>(
    async (done, box) => [...(await done), await admit(box)],
    Promise.resolve([]),
  );
  expect(installs.map(({ kid }) => workerOfKid(kid, 0, workers))).toEqual([0, 1, 0, 1]);
  expect(engine!.place('a')!.incarnation).not.toBe(engine!.place('b')!.incarnation);
  expect(engine!.place('a')!.incarnation).toBe(engine!.place('c')!.incarnation);
  await Promise.all(installs.map(({ kid }) => open(kid, 16)));
  expect(await Promise.all(boxes.map(strandsOf))).toEqual([16, 16, 16, 16]);
  const { handedOn, accepted, kids: known } = await counters();
  expect([accepted, known]).toEqual([64, 4]);
  expect(handedOn).toBeGreaterThan(0);
});

test('an opening that comes in pieces, and a peer that says only half of a kid', async () => {
  const { kid } = await admit('a');
  const whole = Array.from({ length: 16 }, () => ({ bytes: opening(kid), peer: Peer.connect(loop, port) }));
  peers.push(...whole.map(({ peer }) => peer));
  for (const { bytes, peer } of whole) peer.send(bytes.subarray(0, 5));
  await soon(async () => (await counters())['undecided'] === 16, 'all waiting', loop);
  for (const { bytes, peer } of whole) peer.send(bytes.subarray(5));
  await soon(() => whole.every(({ peer }) => peer.heardBytes > 0), 'their answers', loop);
  const half = Peer.connect(loop, port).send(opening(kid).subarray(0, 5)).end();
  peers.push(half);
  await soon(() => half.over, 'its end', loop);
  expect((await counters())['undecided']).toBe(0);
});

test('a worker that dies takes its own sessions along and no others, and is replaced', async () => {
  const [a, b] = [await admit('a'), await admit('b')];
  const [ofA, ofB] = await Promise.all([open(a.kid, 8), open(b.kid, 8)]);
  const old = engine!.place('a')!.incarnation;
  // Nothing a peer sends may do this, so the main thread does.
  const poison = { 7: workerOfKid(a.kid, 0, workers) } as unknown as Uint8Array;
  await expect(engine!.installKid({ ...a, kid: poison })).rejects.toThrow('restarted');
  await soon(() => ofA.every((one) => one.over), 'the end of its strands', loop);
  expect(ofB.some((one) => one.over)).toBe(false);
  await soon(() => engine!.place('a') !== undefined, 'another worker', loop);
  expect(engine!.place('a')!.incarnation).not.toBe(old);
  expect(faults).toHaveLength(1);
  await open(b.kid, 8);
  const again = await admit('a');
  await open(again.kid, 8);
  expect(await strandsOf('b')).toBe(16);
  expect(await strandsOf('a')).toBe(8);
});

test('while a worker is away, strands of its sessions are reset and the others go on', async () => {
  const [a, b] = [await admit('a'), await admit('b')];
  const poison = { 7: workerOfKid(a.kid, 0, workers) } as unknown as Uint8Array;
  await expect(engine!.installKid({ ...a, kid: poison })).rejects.toThrow('restarted');
  const late = Array.from({ length: 8 }, () => Peer.connect(loop, port).send(opening(a.kid)));
  peers.push(...late);
  await open(b.kid, 8);
  await soon(() => late.every((one) => one.over), 'their refusals', loop);
  await soon(() => engine!.place('a') !== undefined, 'another worker', loop);
});

test('a peer that is turned out is turned out of its worker; a session ended there ends', async () => {
  const [a, b] = [await admit('a'), await admit('b')];
  const [ofA, ofB] = await Promise.all([open(a.kid, 2), open(b.kid, 2)]);
  engine!.endPeer('b');
  await soon(() => ofB.every((one) => one.over), 'the end', loop);
  expect(ofA.some((one) => one.over)).toBe(false);
  engine!.endSession(a.sessionKey);
  await soon(() => ofA.every((one) => one.over), 'the end', loop);
  expect(await counters()).toMatchObject({ kids: 0 });
  await open((await admit('b')).kid, 2);
});

test('a second relay on the port is refused although the workers share it', async () => {
  const second = start();
  await expect(second.ready).rejects.toThrow(/EADDRINUSE/u);
  await second.stop();
  await open((await admit('a')).kid, 4);
});
