import { createServer } from 'node:net';

import { openingAadBytes, openingBytes, openingTextBytes, StrandRole, writeOpening, writeU32 } from '@tresse/core';
import { bestAead, EventLoop, nativeSlab, randomBytes } from '@tresse/sys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { EngineEvents, KidInstall, RelayEngine } from '../src/index.ts';
import { localLimits, startRelayEngine } from '../src/index.ts';
import { strandKeys } from '../src/worker/strand-keys.ts';
import { finish, Peer, socketCount } from './peer.ts';
import { freePort, soon } from './wait.ts';

const aead = bestAead('aes-256-gcm');
const secret = new Uint8Array(32).fill(4);

interface Heard {
  readonly ready: { incarnation: string; generation: number }[];
  readonly faults: string[];
  readonly tls: number[];
}

let loop: EventLoop;
let heard: Heard;
let engine: RelayEngine | undefined;
let before: number;

beforeEach(() => {
  before = socketCount();
  loop = new EventLoop();
  heard = { ready: [], faults: [], tls: [] };
});

afterEach(async () => {
  await engine?.stop();
  engine = undefined;
  finish(loop);
  await soon(() => socketCount() === before, 'all sockets closed', loop);
});

function start(port: number): RelayEngine {
  const events: EngineEvents = {
    onReady: (incarnation, generation) => heard.ready.push({ incarnation, generation }),
    onLog: () => {},
    onTlsConnection: (fd) => heard.tls.push(fd),
    onFault: (stack) => heard.faults.push(stack),
  };
  engine = startRelayEngine({ listen: [{ address: '127.0.0.1', port }], allowPrivate: [] }, events);
  return engine;
}

async function started(): Promise<number> {
  const port = await freePort();
  await start(port).ready;
  return port;
}

/** A worker dies of it. */
const poison = { 7: 2 } as unknown as Uint8Array;
const kidOf = (number: number): Uint8Array => new Uint8Array(8).fill(number);

function install(number: number, session = 'a'): KidInstall {
  return {
    kid: kidOf(number),
    secret,
    cipher: 'aes-256-gcm',
    sessionKey: session,
    peer: 'box',
    limits: localLimits,
  };
}

let strands = 0;
const slab = nativeSlab(1_024);

/** A good opening, and with it a record whose frames are `text`. */
function opening(number: number, text?: Uint8Array): { bytes: Buffer; record: Buffer } {
  const salt = randomBytes(16);
  const { up } = strandKeys(aead, secret, salt);
  writeOpening(slab.bytes, 0, kidOf(number), salt, { strand: ++strands, path: 1, role: StrandRole.quick });
  aead.seal(up, 0, slab, 0, openingAadBytes, openingAadBytes, openingTextBytes);
  const bytes = Buffer.from(slab.bytes.subarray(0, openingBytes));
  const body = text ?? Uint8Array.of(9, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1);
  writeU32(slab.bytes, 0, body.length);
  slab.bytes.set(body, 4);
  aead.seal(up, 1, slab, 0, 4, 4, body.length);
  return { bytes, record: Buffer.from(slab.bytes.subarray(0, 20 + body.length)) };
}

const counters = async (): Promise<Readonly<Record<string, number>>> => (await engine!.status()).counters;

describe('life of an engine', () => {
  test('starts, says who it is, stops', async () => {
    await started();
    await soon(() => heard.ready.length === 1, 'ready', loop);
    expect(heard.ready[0]?.incarnation).toMatch(/^[0-9a-f]{32}$/u);
    expect(heard.ready[0]?.generation).toBe(1);
    expect((await engine!.status()).sessions).toEqual([]);
    await engine!.stop();
    await expect(engine!.status()).rejects.toThrow('not running');
    await expect(engine!.installKid(install(1))).rejects.toThrow('not running');
    expect(heard.faults).toEqual([]);
  });

  test('a port in use is a sentence', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await expect(start(port).ready).rejects.toThrow(/bind to 127\.0\.0\.1:\d+: address already in use \(EADDRINUSE\)/u);
    await engine!.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  test('a stop before it ran is no crash, and whoever waits hears of it', async () => {
    const { ready, stop } = { ready: start(await freePort()).ready, stop: engine!.stop() };
    await stop;
    const outcome = await ready.then(
      () => 'ran',
      (error: Error) => error.message,
    );
    expect(['ran', 'the data plane has ended']).toContain(outcome);
  });

  test('a fault: calls under way fail, the next worker is somebody else', async () => {
    const port = await started();
    await engine!.installKid(install(1));
    expect((await counters())['kids']).toBe(1);
    // Nothing a peer sends may do this, so the main thread does.
    const broken = engine!.installKid({ ...install(2), kid: poison });
    await expect(broken).rejects.toThrow('restarted');
    await soon(() => heard.ready.length === 2, 'ready again', loop);
    expect(heard.faults).toHaveLength(1);
    expect(heard.ready[1]?.generation).toBe(2);
    expect(heard.ready[1]?.incarnation).not.toBe(heard.ready[0]?.incarnation);
    expect((await counters())['kids']).toBe(0);
    await engine!.installKid(install(1));
    const peer = Peer.connect(loop, port).send(opening(1).bytes);
    await soon(() => peer.heardBytes > 0, 'the answer of the new one', loop);
    peer.close();
  });
});

describe('sessions of a relay', () => {
  test('a second key joins the session, a new session ends the old', async () => {
    const port = await started();
    await engine!.installKid(install(1));
    const first = Peer.connect(loop, port).send(opening(1).bytes);
    await soon(() => first.heardBytes > 0, 'the answer', loop);
    await engine!.installKid(install(2));
    const second = Peer.connect(loop, port).send(opening(2).bytes);
    await soon(() => second.heardBytes > 0, 'the answer under the second key', loop);
    const status = await engine!.status();
    expect(status.sessions).toHaveLength(1);
    expect(status.sessions[0]?.paths[0]?.strands).toHaveLength(2);
    expect(first.over).toBe(false);
    await engine!.installKid(install(3, 'b'));
    await soon(() => first.over && second.over, 'the end of the old session', loop);
    expect((await counters())['kids']).toBe(1);
    const late = Peer.connect(loop, port).send(opening(1).bytes);
    await soon(() => late.over, 'the old key refused', loop);
    for (const peer of [first, second, late]) peer.close();
  });

  test('three keys at most', async () => {
    await started();
    await Promise.all([1, 2, 3, 4, 5].map((i) => engine!.installKid(install(i))));
    expect((await counters())['kids']).toBe(3);
  });

  test('no more than 64 strands, and no strand number twice', async () => {
    const port = await started();
    await engine!.installKid(install(1));
    const good = Array.from({ length: 64 }, () => Peer.connect(loop, port).send(opening(1).bytes));
    await soon(() => good.every((one) => one.heardBytes > 0), 'answers', loop);
    const surplus = Peer.connect(loop, port).send(opening(1).bytes);
    await soon(() => surplus.over, 'its refusal', loop);
    good[0]!.reset();
    await soon(async () => (await engine!.status()).sessions[0]?.paths[0]?.strands.length === 63, 'room', loop);
    strands -= 2;
    const twice = Peer.connect(loop, port).send(opening(1).bytes);
    await soon(() => twice.over, 'its refusal', loop);
    strands += 10;
    const next = Peer.connect(loop, port).send(opening(1).bytes);
    await soon(() => next.heardBytes > 0, 'the next one', loop);
    for (const peer of [...good, surplus, twice, next]) peer.close();
  });

  test('ended by the daemon', async () => {
    const port = await started();
    await engine!.installKid(install(1));
    const peer = Peer.connect(loop, port).send(opening(1).bytes);
    await soon(() => peer.heardBytes > 0, 'the answer', loop);
    engine!.endSession('another');
    engine!.endSession('a');
    await soon(() => peer.over, 'the end', loop);
    expect((await engine!.status()).sessions).toEqual([]);
    peer.close();
  });
});

describe('a peer that is turned out', () => {
  test('loses its session and keys at once; a handshake under way gives it nothing, a later one does', async () => {
    const port = await started();
    await engine!.installKid(install(1));
    await engine!.installKid({ ...install(2, 'b'), peer: 'another' });
    const peer = Peer.connect(loop, port).send(opening(1).bytes);
    const other = Peer.connect(loop, port).send(opening(2).bytes);
    await soon(() => peer.heardBytes > 0 && other.heardBytes > 0, 'the answers', loop);
    const underWay = engine!.revisionOf('box');
    engine!.endPeer('box');
    await soon(() => peer.over, 'the end of its strand', loop);
    expect((await counters())['kids']).toBe(1);
    expect(engine!.revisionOf('box')).toBe(underWay + 1);
    await expect(engine!.installKid({ ...install(3), revision: underWay })).rejects.toMatchObject({
      code: 'PEER_ENDED',
    });
    await expect(engine!.installKid(install(3))).rejects.toMatchObject({ code: 'PEER_ENDED' });
    expect((await counters())['kids']).toBe(1);
    await engine!.installKid({ ...install(4), revision: engine!.revisionOf('box') });
    const again = Peer.connect(loop, port).send(opening(4).bytes);
    await soon(() => again.heardBytes > 0, 'the answer to the later key', loop);
    expect(other.over).toBe(false);
    for (const one of [peer, other, again]) one.close();
  });

  test('a key sent just before is forgotten too, and a new worker remembers that the peer was turned out', async () => {
    const port = await started();
    const installed = engine!.installKid(install(1));
    engine!.endPeer('box');
    await installed;
    expect((await counters())['kids']).toBe(0);
    const late = Peer.connect(loop, port).send(opening(1).bytes);
    await soon(() => late.over, 'the refusal', loop);
    late.close();
    const revision = engine!.revisionOf('box');
    await expect(engine!.installKid({ ...install(2), kid: poison, revision })).rejects.toThrow('restarted');
    await soon(() => heard.ready.length === 2, 'ready again', loop);
    await expect(engine!.installKid(install(3))).rejects.toMatchObject({ code: 'PEER_ENDED' });
  });
});
