import { openingAadBytes, openingBytes, openingTextBytes, StrandRole, workerOfKid, writeOpening } from '@tresse/core';
import { FreeListPool } from '@tresse/kit';
import {
  bestAead,
  closeFd,
  connectOutcome,
  connectStart,
  ECONNRESET,
  EventLoop,
  nativeSlab,
  randomBytes,
  tcpSocket,
  WRITABLE,
} from '@tresse/sys';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { localLimits, openPublicPort, type PublishedStatus, type RelayEngine, startRelayEngine } from '../src/index.ts';
import { lanConnect } from '../src/worker/lan-connect.ts';
import { SessionDriver } from '../src/worker/session-driver.ts';
import { strandKeys } from '../src/worker/strand-keys.ts';
import { StrandSocket } from '../src/worker/strand-socket.ts';
import { connectedPair, finish, listening, pattern, Peer, Server, socketCount } from './peer.ts';
import { freePort, soon } from './wait.ts';

const aead = bestAead('aes-256-gcm');
const body = pattern(8 * 1_048_576, 5);

/** A box lets its relay connect to this machine. */
const toLan = lanConnect({ networks: [{ network: '127.0.0.0/8' }], except: [] }, 0);

/** A box: its session in this thread, its strands to the relay's port. */
class Box {
  readonly driver: SessionDriver;
  readonly name: string;
  readonly kid: Uint8Array = new Uint8Array(8);
  readonly #loop: EventLoop;
  readonly #secret: Uint8Array = randomBytes(32);
  readonly #clients: Peer[] = [];
  #strands = 0;

  constructor(loop: EventLoop, pool: FreeListPool, name: string) {
    this.#loop = loop;
    this.name = name;
    this.driver = new SessionDriver('box', 'relay', loop, pool, toLan, () => {}, {
      onPath: () => {},
      onAnswered: () => {},
      onStrandClosed: () => {},
      onOver: () => {},
    });
    loop.afterBatch(() => this.driver.afterBatch());
  }

  /** What a handshake does: a key whose session is where the box's is. */
  async meet(engine: RelayEngine): Promise<void> {
    const place = engine.place(this.name);
    if (!place) throw new Error('its worker does not run');
    this.kid.set(randomBytes(8));
    while (!place.fits(this.kid)) this.kid[7]!++;
    const sessionKey = `${this.name} ${place.incarnation}`;
    const secret = this.#secret.slice();
    const limits = localLimits;
    await engine.installKid({ kid: this.kid, secret, cipher: 'aes-256-gcm', sessionKey, peer: this.name, limits });
  }

  /** Begins a connection that becomes a strand. */
  dial(port: number, role: StrandRole): void {
    const fd = tcpSocket(4);
    connectStart(fd, '127.0.0.1', port);
    this.#loop.add(fd, WRITABLE, () => {
      this.#loop.remove(fd);
      if (connectOutcome(fd) !== 0) closeFd(fd);
      else this.#open(fd, role);
    });
  }

  #open(fd: number, role: StrandRole): void {
    const slab = nativeSlab(openingBytes);
    const salt = randomBytes(16);
    const keys = strandKeys(aead, this.#secret, salt);
    const strand = ++this.#strands;
    writeOpening(slab.bytes, 0, this.kid, salt, { strand, path: 1, role });
    aead.seal(keys.up, 0, slab, 0, openingAadBytes, openingAadBytes, openingTextBytes);
    const own = { seal: keys.up, sealCounter: 1, open: keys.down, openCounter: 0 };
    const socket = new StrandSocket(fd, this.#loop, aead, own, this.driver);
    socket.watch();
    this.driver.addStrand(socket, strand, 1, role);
    socket.sendPlain(slab, openingBytes);
  }

  /** A LAN host that asks a server of this machine. */
  ask(port: number): Peer {
    const { near, far } = connectedPair(this.#loop);
    const client = new Peer(this.#loop, near);
    this.#clients.push(client);
    const target = { address: Uint8Array.of(127, 0, 0, 1), port };
    this.driver.sockets.adopt(this.driver.session.openStream(target, [], this.#loop.nowMs), far);
    this.driver.touch();
    return client.send('give');
  }

  end(): void {
    for (const client of this.#clients) client.close();
    this.driver.end('test ends');
  }
}

let loop: EventLoop;
let pool: FreeListPool;
let engine: RelayEngine;
let server: Server;
let port: number;
let before: number;
let boxes: Box[];

beforeEach(async () => {
  before = socketCount();
  loop = new EventLoop();
  pool = new FreeListPool(nativeSlab, 0);
  const free = listening();
  ({ port } = free);
  closeFd(free.fd);
  engine = startRelayEngine(
    { listen: [{ address: '127.0.0.1', port }], allowPrivate: ['127.0.0.0/8'], workers: 2 },
    { onReady: () => {}, onLog: () => {}, onFault: () => {} },
  );
  await engine.ready;
  server = new Server(loop);
  boxes = ['a', 'b', 'c'].map((name) => new Box(loop, pool, name));
});

afterEach(async () => {
  server.close();
  for (const box of boxes) box.end();
  await engine.stop();
  finish(loop);
  await soon(() => socketCount() === before, 'all sockets closed', loop);
});

test('a worker that dies in the middle of transfers takes its own along, by a reset, and no byte of the others', async () => {
  await Promise.all(boxes.map((box) => box.meet(engine)));
  for (const box of boxes)
    for (const role of [StrandRole.quick, StrandRole.bulk, StrandRole.bulk]) box.dial(port, role);
  await soon(() => boxes.every(({ driver }) => driver.session.paths.get(1)?.answered === true), 'strands', loop);
  const clients = boxes.map((box) => box.ask(server.port));
  await soon(() => server.peers.filter((peer) => peer.heardBytes > 0).length === 3, 'all questions', loop);
  for (const peer of server.peers) peer.send(body.subarray(0, body.length / 2));
  await soon(() => clients.every((client) => client.heardBytes > 0), 'first bytes', loop);

  // Nothing a peer sends may do this, so the main thread does: the second box is alone in its worker.
  const worker = workerOfKid(boxes[1]!.kid, 0, 2);
  expect(boxes.map(({ kid }) => workerOfKid(kid, 0, 2) === worker)).toEqual([false, true, false]);
  const poison = { 7: worker } as unknown as Uint8Array;
  const install = { secret: new Uint8Array(32), cipher: 'aes-256-gcm', sessionKey: 'x', peer: 'x' } as const;
  await expect(engine.installKid({ ...install, kid: poison, limits: localLimits })).rejects.toThrow('restarted');

  await soon(() => server.peers.filter((peer) => peer.over).length === 1, 'the reset at the server', loop);
  for (const peer of server.peers) if (!peer.over) peer.send(body.subarray(body.length / 2)).end();
  await soon(() => clients[0]!.ended && clients[2]!.ended, 'the ends of the others', loop);
  for (const client of [clients[0]!, clients[2]!]) expect(client.heard.equals(body)).toBe(true);
  expect(server.peers.map((peer) => peer.failed).filter((errno) => errno !== 0)).toEqual([ECONNRESET]);
  expect(clients[1]!.ended).toBe(false);
  expect(boxes[1]!.driver.session.strands.size).toBe(0);
});

/** A public port of the relay that leads to the server of this machine, behind a box. */
const leading = (
  box: Box,
  fds: readonly number[],
  publicPort: number,
): Parameters<RelayEngine['setPublished']>[0][number] => ({
  port: publicPort,
  peer: box.name,
  fds,
  targets: { 4: { address: '127.0.0.1', port: server.port } },
  from: [],
});
const published = async (): Promise<readonly PublishedStatus[]> => (await engine.status()).published ?? [];

test('a published port goes where its box goes, outlives a worker, and is let go of when it is taken back', async () => {
  const publicPort = await freePort();
  const fds = openPublicPort('tcp', ['127.0.0.1'], publicPort);
  const box = boxes[0]!;
  await engine.setPublished([leading(box, fds, publicPort)]);
  const early = Peer.connect(loop, publicPort);
  await soon(() => early.over, 'the reset while the box is away', loop);
  expect(await published()).toMatchObject([{ port: publicPort, accepted: 0, refused: 1 }]);

  const meets = async (): Promise<void> => {
    await box.meet(engine);
    for (const role of [StrandRole.quick, StrandRole.bulk]) box.dial(port, role);
    await soon(() => box.driver.session.paths.get(1)?.answered === true, 'strands', loop);
  };
  await meets();
  const visit = async (): Promise<Peer> => {
    const count = server.peers.length;
    const client = Peer.connect(loop, publicPort);
    await soon(() => server.peers.length > count || client.over, 'a connection at the LAN host', loop);
    return client;
  };
  const first = await visit();
  server.peers.at(-1)!.send(body).end();
  await soon(() => first.ended, 'all of it', loop);
  expect(first.heard.equals(body)).toBe(true);

  const poison = { 7: workerOfKid(box.kid, 0, 2) } as unknown as Uint8Array;
  const install = { secret: new Uint8Array(32), cipher: 'aes-256-gcm', sessionKey: 'x', peer: 'x' } as const;
  await expect(engine.installKid({ ...install, kid: poison, limits: localLimits })).rejects.toThrow('restarted');
  await soon(() => engine.place(box.name) !== undefined, 'a worker', loop);
  const meanwhile = Peer.connect(loop, publicPort);
  await soon(() => meanwhile.over, 'the reset without a session', loop);

  await engine.setPublished([]);
  expect(await published()).toEqual([]);
  for (const fd of fds) closeFd(fd);
  const late = Peer.connect(loop, publicPort);
  await soon(() => late.over, 'the refusal', loop);
  for (const client of [early, first, meanwhile, late]) client.close();
});
