/** A relay's data plane that dies in mid-transfer, silent and slow peers, and targets a box may not name. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { HostileBox, say } from './hostile-box.ts';
import { connectedPair, Peer, Server, socketCount } from './peer.ts';
import { frame, HonestBox, opening, record, Siege, u64 } from './siege.ts';

// On a machine that has much to do, ten thousand connections take their time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let siege: Siege;
let before: number;
const peers: Peer[] = [];

beforeEach(() => {
  before = socketCount();
});

afterEach(async () => {
  for (const peer of peers.splice(0)) peer.close();
  await siege.raise();
  expect(socketCount()).toBe(before);
});

test('the relay’s data plane dies in mid-transfer: servers see a reset, the next one serves, nothing is left', async () => {
  siege = await Siege.lay();
  await siege.admit(2, 'honest');
  const honest = await HonestBox.join(siege, 2);
  const server = new Server(siege.loop);
  const { near, far } = connectedPair(siege.loop);
  const client = new Peer(siege.loop, near);
  peers.push(client);
  const target = { address: Uint8Array.of(127, 0, 0, 1), port: server.port };
  const stream = honest.driver.session.openStream(target, [], siege.loop.nowMs);
  honest.driver.sockets.adopt(stream, far);
  client.send('half of what the server waits for');
  await siege.soon(() => server.peers[0]?.heardBytes === 33, 'the first half');
  // Nothing that comes from outside may do this, so the main thread does.
  siege.engine.tellPeers(undefined as never);
  await siege.soon(() => server.peers[0]?.over === true, 'the end at the server');
  expect(server.peers[0]?.ended).toBe(false);
  expect(siege.faults).toHaveLength(1);
  await siege.soon(() => honest.driver.session.strands.size === 0, 'the box sees its strands gone');
  // The box's daemon makes a handshake with the new incarnation: another session.
  honest.leave();
  await siege.soon(() => client.over, 'the end at the client');
  expect(client.ended).toBe(false);
  await siege.soon(() => siege.readies === 2, 'the next one');
  await siege.admit(3, 'honest again');
  const next = await HonestBox.join(siege, 3);
  await next.exchange();
  next.leave();
  server.close();
});

test('silent and slow peers at every stage wait for nothing and keep nobody out', async () => {
  siege = await Siege.lay();
  await siege.admit(1);
  await siege.admit(2, 'honest');
  const honest = await HonestBox.join(siege, 2);
  const visitor = (bytes: Uint8Array): Peer => {
    const peer = Peer.connect(siege.loop, siege.port).send(bytes);
    peers.push(peer);
    return peer;
  };
  const { bytes } = opening(1, 1);
  const silent = Array.from({ length: 40 }, (_, i) => visitor(i % 2 === 0 ? Buffer.alloc(0) : bytes.subarray(0, i)));
  // One byte, and another, and another.
  const drip = visitor(Buffer.of(0x54));
  let dripped = performance.now();
  siege.loop.afterBatch(() => {
    if (drip.over || drip.closed || performance.now() - dripped < 500) return;
    dripped = performance.now();
    drip.send(Buffer.of(1));
  });
  // Authentic, and then nothing; or the half of a record; or everything, and nothing is read.
  const idle = visitor(opening(1, 2).bytes);
  const half = opening(1, 3);
  const stuck = visitor(Buffer.concat([half.bytes, record(half.up, 1, frame(9, u64(1))).subarray(0, 9)]));
  const deaf = visitor(opening(1, 4).bytes);
  deaf.pause();
  await honest.exchange();
  await siege.soon(() => silent.every((peer) => peer.over) && drip.over, 'nobody undecided');
  const counters = await siege.counters();
  expect(counters['silent']).toBe(41);
  expect(counters['undecided']).toBe(0);
  expect([idle.over, stuck.over, deaf.over]).toEqual([false, false, false]);
  await honest.exchange();
  honest.leave();
});

/** An IPv6 address that ends with loopback's. */
const mapped = (...head: number[]): Buffer => Buffer.concat([Buffer.from(head), Buffer.from([127, 0, 0, 1])]);

test('no form of a forbidden address leads anywhere, and each is answered by a reset', async () => {
  siege = await Siege.lay({ allowPrivate: [] });
  await siege.admit(1);
  const server = new Server(siege.loop);
  const box = new HostileBox(siege, 1);
  const port = Buffer.from([server.port >> 8, server.port & 0xff]);
  const six = [
    Buffer.concat([Buffer.alloc(15), Buffer.of(1)]),
    Buffer.alloc(16),
    mapped(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff),
    mapped(...Buffer.alloc(12)),
    mapped(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0),
    Buffer.concat([Buffer.from([0x20, 0x02, 127, 0, 0, 1]), Buffer.alloc(10)]),
  ];
  const opens = [
    say.open(box.stream(), server.port),
    say.open(box.stream(), server.port, [127, 1, 2, 3]),
    say.open(box.stream(), server.port, [0, 0, 0, 0]),
    ...six.map((address) => frame(1, u64(box.stream()), Buffer.from([2, 0, 6]), port, address)),
  ];
  box.attack(() => Buffer.concat(opens));
  await siege.soon(async () => (await siege.sessionCounters())['streamsOpened'] === opens.length, 'all judged');
  await siege.soon(async () => (await siege.sessionCounters())['recordsOut']! > 1, 'the answer');
  expect(server.peers).toEqual([]);
  box.leave();
  server.close();
});
