/** A crowd of readers that stand still, over real connections: what they make the box hold, and what is left for others. */
import { limits } from '@tresse/core';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { Braid } from './braid.ts';
import { type Peer, Server, settle, socketCount, socketsSettled, until } from './peer.ts';

const crowd = 1_000;
/** What a LAN host sends at a time, and there is no more of it. */
const piece = Buffer.alloc(16_384, 5);
const pieces = 8;
const block = Buffer.alloc(1_048_576, 7);

let braid: Braid;
let server: Server;
let before: number;

beforeEach(() => {
  before = socketCount();
  braid = new Braid().addPath(1).addPath(2);
  server = new Server(braid.loop);
});

afterEach(async () => {
  server.close();
  braid.end();
  expect(braid.pool.usedBytes + braid.boxPool.usedBytes).toBe(0);
  await socketsSettled();
  expect(socketCount()).toBe(before);
});

/** The server's ends of so many more connections, whose clients read nothing. */
function stalled(count: number): Peer[] {
  const from = server.peers.length;
  for (let i = 0; i < count; i++) {
    const { client } = braid.dial(server.port, 16_384);
    client.forgetful = true;
    client.pause();
  }
  until(braid.loop, () => server.peers.length === from + count, 'connections at the server');
  return server.peers.slice(from);
}

test('a thousand of them hold no more than the budget, kernel included, and none is broken', () => {
  const peers: Peer[] = [];
  for (let i = 0; i < crowd; i += 100) {
    for (const peer of stalled(100)) {
      peer.send(block);
      peers.push(peer);
    }
    settle(braid.loop, 10);
    expect(braid.boxMemory).toBeLessThan(limits.memoryBudgetBytes);
  }
  let sent = -1;
  until(
    braid.loop,
    () => {
      const now = peers.reduce((sum, peer) => sum + peer.sentBytes, 0);
      const still = now === sent;
      sent = now;
      settle(braid.loop, 20);
      expect(braid.boxMemory).toBeLessThan(limits.memoryBudgetBytes);
      return still;
    },
    'a standstill',
  );
  // Every one has what it was promised at least, and waits.
  for (const peer of peers) expect(peer.sentBytes).toBeGreaterThanOrEqual(limits.creditFloorBytes);
  expect(braid.box.session.streams.size).toBe(crowd);
  expect(peers.some((peer) => peer.over)).toBe(false);
  // Somebody who reads has his bytes beside them.
  const { client } = braid.dial(server.port);
  client.forgetful = true;
  until(braid.loop, () => server.peers.length === crowd + 1, 'one more');
  for (let i = 0; i < 20; i++) server.peers.at(-1)!.send(block);
  until(braid.loop, () => client.heardBytes === 20 * block.length, 'the bytes of one who reads');
  expect(braid.boxMemory).toBeLessThan(limits.memoryBudgetBytes);
});

test('a thousand uploads that nobody reads hold no more than the budget, and lose nothing', () => {
  server.close();
  server = new Server(braid.loop, (peer) => peer.pause(), 8_192);
  const clients: Peer[] = [];
  for (let i = 0; i < crowd; i += 100) {
    const some = Array.from({ length: 100 }, () => braid.dial(server.port).client);
    for (let n = 0; n < pieces; n++) {
      for (const client of some) client.send(piece);
      settle(braid.loop, 3);
    }
    clients.push(...some);
    expect(braid.boxMemory).toBeLessThan(limits.memoryBudgetBytes);
  }
  until(braid.loop, () => server.peers.length === crowd, 'connections at the server');
  let held = -1;
  until(
    braid.loop,
    () => {
      const still = held === braid.box.session.heldBytes;
      held = braid.box.session.heldBytes;
      settle(braid.loop, 50);
      return still;
    },
    'a standstill',
  );
  expect(braid.boxMemory).toBeLessThan(limits.memoryBudgetBytes);
  expect(clients.some((client) => client.over)).toBe(false);
  const { client } = braid.dial(server.port);
  until(braid.loop, () => server.peers.length === crowd + 1, 'one more');
  const reader = server.peers.at(-1)!;
  reader.forgetful = true;
  reader.resume();
  for (let i = 0; i < 4; i++) client.send(block);
  until(braid.loop, () => reader.heardBytes === 4 * block.length, 'the bytes of one who is read');
  // Whoever is read again after all has lost nothing.
  const some = [0, 400, 999].map((i) => server.peers[i]!);
  for (const peer of some) {
    peer.forgetful = true;
    peer.resume();
  }
  const all = pieces * piece.length;
  until(braid.loop, () => some.every((peer) => peer.heardBytes === all), 'all bytes of some');
});
