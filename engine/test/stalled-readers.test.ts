/** A crowd of readers that stand still, over real connections: what they make the box hold, and what is left for others. */
import { limits } from '@tresse/core';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { Braid } from './braid.ts';
import { type Peer, Server, settle, socketCount, socketsSettled, until } from './peer.ts';

const crowd = 1_000;
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
