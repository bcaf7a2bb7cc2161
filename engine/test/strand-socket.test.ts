import { limits, readU32, writeU32 } from '@tresse/core';
import type { Slab } from '@tresse/kit';
import { type AeadKey, bestAead, type EventLoop, EventLoop as Loop, nativeSlab, setSendBuffer } from '@tresse/sys';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { strandKeys } from '../src/worker/strand-keys.ts';
import { type StrandOwner, StrandSocket } from '../src/worker/strand-socket.ts';
import { connectedPair, finish, pattern, Peer, settle, socketCount, until } from './peer.ts';

const aead = bestAead('aes-256-gcm');

class Ear implements StrandOwner {
  /** The time of the turn is used up. */
  busy = false;
  tookMs = 0;
  readonly records: Buffer[] = [];
  readonly closed: string[] = [];
  writable = true;
  blockedCount = 0;
  verdict: string | undefined;

  onRecord(_socket: StrandSocket, slab: Slab, start: number, end: number): string | undefined {
    this.records.push(Buffer.from(slab.bytes.subarray(start, end)));
    return this.verdict;
  }

  onWritable(): void {
    this.writable = true;
  }

  mayReceive(): boolean {
    return !this.busy;
  }

  received(tookMs: number): void {
    this.tookMs += tookMs;
  }

  onBlocked(): void {
    this.writable = false;
    this.blockedCount++;
  }

  onClosed(_socket: StrandSocket, reason: string): void {
    this.closed.push(reason);
  }
}

function keys(): { up: AeadKey; down: AeadKey } {
  return strandKeys(aead, new Uint8Array(32).fill(9), new Uint8Array(16).fill(3));
}

function strand(loop: EventLoop, fd: number, side: 'box' | 'relay', owner: Ear, own = keys()): StrandSocket {
  const box = { seal: own.up, sealCounter: 1, open: own.down, openCounter: 0 };
  const relay = { seal: own.down, sealCounter: 0, open: own.up, openCounter: 1 };
  return new StrandSocket(fd, loop, aead, side === 'box' ? box : relay, owner);
}

const out = nativeSlab(limits.recordBytesMax);

function send(socket: StrandSocket, text: Uint8Array): void {
  out.bytes.set(text, limits.recordHeaderBytes);
  socket.sendRecord(out, text.length);
}

/** The bytes of a record from the box. */
function sealed(text: Uint8Array, counter: number): Buffer {
  writeU32(out.bytes, 0, text.length);
  out.bytes.set(text, 4);
  aead.seal(keys().up, counter, out, 0, 4, 4, text.length);
  return Buffer.from(out.bytes.subarray(0, 4 + text.length + 16));
}

let loop: EventLoop;
let before: number;

beforeEach(() => {
  before = socketCount();
  loop = new Loop();
});

afterEach(() => {
  finish(loop);
  expect(socketCount()).toBe(before);
});

test('a strand that closes leaves no key behind', () => {
  const { near, far } = connectedPair(loop);
  const own = keys();
  const socket = strand(loop, near, 'box', new Ear(), own);
  socket.watch();
  const zero = (): boolean[] => [own.up, own.down].map(({ bytes }) => bytes.every((byte) => byte === 0));
  expect(zero()).toEqual([false, false]);
  socket.close('test ends');
  expect(zero()).toEqual([true, true]);
  new Peer(loop, far).close();
});

test('a strand whose writing stands still is read all the same', () => {
  const { near, far } = connectedPair(loop, 4_096);
  setSendBuffer(far, 4_096);
  const ear = new Ear();
  // The relay's side, so that what the box seals can be heard here.
  const socket = strand(loop, far, 'relay', ear);
  socket.watch();
  const peer = new Peer(loop, near);
  peer.pause();
  const text = pattern(60_000);
  for (let i = 0; i < 200 && ear.writable; i++) {
    send(socket, text);
    settle(loop, 5);
  }
  expect(ear.writable).toBe(false);
  for (let i = 1; i <= 20; i++) peer.send(sealed(Uint8Array.of(i), i));
  until(loop, () => ear.records.length === 20, 'the records that came');
  expect(ear.writable).toBe(false);
  socket.close('test ends');
  peer.close();
});

test('records of all sizes arrive whole and in order, both ways', () => {
  const { near, far } = connectedPair(loop);
  const [boxEar, relayEar] = [new Ear(), new Ear()];
  const box = strand(loop, near, 'box', boxEar);
  const relay = strand(loop, far, 'relay', relayEar);
  box.watch();
  relay.watch();
  const sizes = [1, 2, 3, 16, 1_447, 1_448, 1_449, 16_384, 65_535, limits.recordTextMax, 5];
  for (const [i, size] of sizes.entries()) {
    send(box, pattern(size, i + 1));
    until(loop, () => relayEar.records.length === i + 1, `record of ${size} up`);
    send(relay, pattern(size, i + 100));
    until(loop, () => boxEar.records.length === i + 1, `record of ${size} down`);
    expect(relayEar.records[i]?.equals(pattern(size, i + 1))).toBe(true);
    expect(boxEar.records[i]?.equals(pattern(size, i + 100))).toBe(true);
  }
  box.close('done');
  until(loop, () => relay.closed, 'the end seen');
  expect(box.endedByPeer).toBe(false);
  expect(relay.endedByPeer).toBe(true);
});

test('a session whose time is used up is not read in this turn, and misses nothing in a later one', () => {
  const { near, far } = connectedPair(loop);
  const ear = new Ear();
  const box = strand(loop, near, 'box', new Ear());
  const relay = strand(loop, far, 'relay', ear);
  ear.busy = true;
  box.watch();
  relay.watch();
  send(box, pattern(900));
  settle(loop, 5);
  expect(ear.records).toEqual([]);
  ear.busy = false;
  until(loop, () => ear.records.length === 1, 'the record');
  expect(ear.tookMs).toBeGreaterThan(0);
  box.close('done');
  relay.close('done');
});

test('a kernel that takes a part is given the rest later, byte for byte', () => {
  const { near, far } = connectedPair(loop, 4_096);
  setSendBuffer(far, 8_192);
  const [boxEar, relayEar] = [new Ear(), new Ear()];
  const box = strand(loop, near, 'box', boxEar);
  const relay = strand(loop, far, 'relay', relayEar);
  relay.watch();
  const records = Array.from({ length: 60 }, (_, i) => pattern(1 + ((i * 7_919) % limits.recordTextMax), i + 1));
  let next = 0;
  const feed = (): void => {
    while (relayEar.writable && next < records.length) send(relay, records[next++]!);
  };
  feed();
  expect(relayEar.writable).toBe(false);
  expect(relay.waitingBytes).toBeGreaterThan(0);
  box.watch();
  until(
    loop,
    () => {
      feed();
      return boxEar.records.length === records.length;
    },
    'all records',
  );
  expect(boxEar.records.every((r, i) => r.equals(records[i]!))).toBe(true);
  expect(relayEar.blockedCount).toBeGreaterThan(2);
  expect(relay.waitingBytes).toBe(0);
  box.close('done');
  relay.close('done');
});

test('a sender that does not heed what it is told loses the strand and nothing else', () => {
  const { near, far } = connectedPair(loop, 4_096);
  setSendBuffer(far, 8_192);
  const ear = new Ear();
  const relay = strand(loop, far, 'relay', ear);
  relay.watch();
  for (let i = 0; i < 300; i++) send(relay, pattern(limits.recordTextMax));
  expect(ear.closed).toEqual(['more is sent than can wait']);
  const peer = new Peer(loop, near);
  until(loop, () => peer.over, 'the reset');
  peer.close();
});

test('records that arrive byte by byte', () => {
  const { near, far } = connectedPair(loop);
  const ear = new Ear();
  const relay = strand(loop, far, 'relay', ear);
  relay.watch();
  const peer = new Peer(loop, near);
  for (const byte of Buffer.concat([sealed(pattern(50), 1), sealed(pattern(3), 2)])) {
    peer.send(Uint8Array.of(byte));
    loop.turn(0);
  }
  until(loop, () => ear.records.length === 2, 'both records');
  peer.close();
  until(loop, () => relay.closed, 'the end');
  expect(ear.closed).toEqual(['ended by the peer']);
});

describe('what does not belong there closes the strand, by reset, and erases its keys', () => {
  const good = sealed(pattern(100), 1);
  const changed = (at: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at]! ^= 1;
    return bytes;
  };
  const cases: [string, string, Buffer, number][] = [
    ['a changed byte of the text', 'record not authentic', changed(30), 0],
    ['a changed byte of the tag', 'record not authentic', changed(good.length - 1), 0],
    ['a length that is changed', 'record not authentic', Buffer.concat([changed(3), Buffer.alloc(8)]), 0],
    ['a length of zero', 'record length out of bounds', Buffer.alloc(20), 0],
    ['a length above the bound', 'record length out of bounds', Buffer.from([0, 1, 0, 1, 0, 0]), 0],
    ['the largest length there is', 'record length out of bounds', Buffer.from([255, 255, 255, 255]), 0],
    ['a record a second time', 'record not authentic', Buffer.concat([good, good]), 1],
    ['the second record first', 'record not authentic', sealed(pattern(9), 2), 0],
  ];
  test.each(cases)('%s', (_what, reason, bytes, records) => {
    const { near, far } = connectedPair(loop);
    const ear = new Ear();
    const own = keys();
    const relay = strand(loop, far, 'relay', ear, own);
    relay.watch();
    const peer = new Peer(loop, near);
    peer.send(bytes);
    until(loop, () => peer.over, 'the reset');
    expect(peer.failed).toBeGreaterThan(0);
    expect(ear.closed).toEqual([reason]);
    expect(ear.records).toHaveLength(records);
    expect(relay.endedByPeer).toBe(false);
    expect([...own.up.bytes, ...own.down.bytes].every((b) => b === 0)).toBe(true);
    relay.close('again');
    expect(ear.closed).toHaveLength(1);
    peer.close();
  });

  test('a record cut short by the end', () => {
    const { near, far } = connectedPair(loop);
    const ear = new Ear();
    strand(loop, far, 'relay', ear).watch();
    const peer = new Peer(loop, near).send(good.subarray(0, 70)).end();
    until(loop, () => ear.closed.length > 0, 'the end');
    expect(ear.closed).toEqual(['ended by the peer']);
    expect(ear.records).toHaveLength(0);
    peer.close();
  });

  test('what the owner objects to, and nothing behind it is looked at', () => {
    const { near, far } = connectedPair(loop);
    const ear = new Ear();
    ear.verdict = 'frame-unknown';
    strand(loop, far, 'relay', ear).watch();
    const peer = new Peer(loop, near).send(Buffer.concat([good, sealed(pattern(5), 2)]));
    until(loop, () => ear.closed.length > 0, 'the end');
    expect(ear.closed).toEqual(['frame-unknown']);
    expect(ear.records).toHaveLength(1);
    peer.close();
  });

  test('writing to a connection that was reset', () => {
    const { near, far } = connectedPair(loop);
    const ear = new Ear();
    const relay = strand(loop, far, 'relay', ear);
    new Peer(loop, near).reset();
    for (let i = 0; i < 3 && !relay.closed; i++) send(relay, pattern(10));
    expect(ear.closed).toEqual(['write failed']);
    expect(relay.endedByPeer).toBe(true);
    send(relay, pattern(10));
    expect(ear.closed).toHaveLength(1);
  });
});

test('the length stands in the clear, the text does not', () => {
  const { near, far } = connectedPair(loop);
  const box = strand(loop, near, 'box', new Ear());
  const peer = new Peer(loop, far);
  send(box, pattern(64));
  until(loop, () => peer.heardBytes === 84, 'the record');
  expect(readU32(peer.heard, 0)).toBe(64);
  expect(peer.heard.includes(pattern(64).subarray(0, 8))).toBe(false);
  box.close('done');
  peer.close();
});
