/** Ten thousand inputs of each kind (or `TRESSE_INPUTS`, of handshakes `TRESSE_HANDSHAKES`) to a relay's main thread, and a box of good will after them. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { mutated, PeerError, Prng } from '@tresse/kit';
import { boxHello, relayAnswer } from '@tresse/schema';
import { expect, test, vi } from 'vitest';

import { encodeFrame, readFrame } from '../src/hello-frame.ts';
import { readPeerMessage } from '../src/peer-message.ts';
import { tlsSettings } from '../src/tls-settings.ts';
import { dial, identity, offer, relay, server, undo } from './peers.ts';

const inputs = Number(process.env['TRESSE_INPUTS'] ?? 10_000);
const handshakes = Number(process.env['TRESSE_HANDSHAKES'] ?? 10_000);
// On a machine that has much to do.
vi.setConfig({ testTimeout: 12 * inputs + 20 * handshakes });
const seed = Number(process.env['TRESSE_SEED'] ?? 1);
const again = `TRESSE_SEED=${seed} vitest run --project unit daemon/test/hostile.test.ts`;
const ours = await identity();
const theirs = await identity();

const descriptors = (): number => readdirSync('/proc/self/fd').length;
const hello = { ...offer, type: 'hello', versions: [1], group: 'X25519' };
/** With a pairing code's token: a stranger may say this. */
const asking = { ...hello, token: 'A'.repeat(22) };

setFlagsFromString('--expose-gc');
/** What is merely not collected yet is no growth. */
const collectGarbage = runInNewContext('gc') as () => void;

/** The progress of a kind, for whoever watches a long siege. */
function progress(kind: string, sent: number): string {
  collectGarbage();
  return `${kind}: ${sent} sent, ${Math.round(process.memoryUsage.rss() / 1e6)} MB, ${descriptors()} descriptors`;
}
/** It is told this often. */
const toldEvery = 5_000;

/** Calls `each` so many times, so many at once. */
async function storm(count: number, atOnce: number, each: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    if (next >= count) return;
    await each(next++);
    await worker();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** The first bytes a box sends in a handshake. */
async function clientHello(): Promise<Buffer> {
  const heard: Buffer[] = [];
  const port = await server((socket) => socket.on('data', (chunk: Buffer) => heard.push(chunk)));
  const box = connectTls({ ...tlsSettings(ours), host: '127.0.0.1', port });
  box.on('error', () => {});
  undo(() => box.destroy());
  await vi.waitFor(() => expect(heard.length).toBeGreaterThan(0));
  return Buffer.concat(heard);
}

/** Connects, sends, says that nothing more comes, and waits for the end. */
async function visit(port: number, bytes: Uint8Array): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.end(bytes);
  await once(socket, 'close').catch(() => {});
}

test('TLS starts, half of them a box’s own with damage: all closed, counted, forgotten', async ({ annotate }) => {
  const host = await relay(theirs, [ours.pin]);
  const start = await clientHello();
  await dial(ours, host.port, theirs.pin);
  const before = descriptors();
  const prng = new Prng(seed);
  await storm(handshakes, 16, async (i) => {
    if (i % toldEvery === 0) await annotate(progress('handshakes', i), 'siege');
    const random = Uint8Array.from({ length: prng.int(1, 400) }, (_, at) => (at === 0 ? 0x16 : prng.u32() & 0xff));
    await visit(host.port, prng.chance(0.5) ? mutated(prng, start) : random);
  });
  await vi.waitFor(() => expect(descriptors(), again).toBeLessThanOrEqual(before));
  await annotate(progress('handshakes', handshakes), 'siege');
  const { counters } = host.reception;
  expect(counters.begun, again).toBe(handshakes + 1);
  expect(counters.failed + counters.dropped, again).toBe(handshakes);
  expect(counters.agreed, again).toBe(1);
  await expect(dial(ours, host.port, theirs.pin)).resolves.toMatchObject({ peerPin: theirs.pin });
});

/** A damaged hello: its JSON within a right length, or all of it. */
function damagedHello(prng: Prng, message: unknown): Uint8Array {
  const frame = encodeFrame(message);
  if (prng.chance(0.5)) return mutated(prng, frame);
  const body = Buffer.from(mutated(prng, frame.subarray(4)));
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

test('hellos of either side, half of them of a right length: understood, or refused with a kind of its own', async () => {
  const prng = new Prng(seed);
  const answer = { ...offer, type: 'hello', version: 1, generation: 1, cipher: 'aes-256-gcm', timeMs: 1, ciphers: 1 };
  const seen = new Map<string, number>();
  await storm(inputs, 50, async () => {
    const fromBox = prng.chance(0.5);
    const bytes = Buffer.from(damagedHello(prng, fromBox ? (prng.chance(0.5) ? hello : asking) : answer));
    const stream = new PassThrough();
    const reading = readFrame(stream).then(
      (message) => ((fromBox ? boxHello : relayAnswer).safeParse(message).success ? 'understood' : 'no hello'),
      (error: unknown) => (error instanceof PeerError ? error.code : String(error)),
    );
    const cut = prng.int(0, bytes.length);
    stream.write(bytes.subarray(0, cut));
    stream.end(bytes.subarray(cut));
    const outcome = await reading;
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  });
  const known = ['FRAME_CUT', 'FRAME_JSON', 'FRAME_LENGTH', 'no hello', 'understood'];
  expect([...seen.keys()].toSorted(), again).toEqual(known);
});

/** Boxes that storm together, and how many unfinished handshakes each may have. */
const crowd = 8;
const atOnceOfBox = 3;

test('damaged hellos within good TLS: the close alone or one reason, all counted, and a box gets in after them', async ({
  annotate,
}) => {
  const boxes = await Promise.all(Array.from({ length: crowd }, () => identity()));
  const host = await relay(theirs, [ours.pin, ...boxes.map((box) => box.pin)]);
  // What a context costs, and a key exchange of the size of ours, is the attackers' own affair.
  const contexts = boxes.map((box) => createSecureContext(Object.assign(tlsSettings(box), { ecdhCurve: 'X25519' })));
  const before = descriptors();
  const prng = new Prng(seed);
  await storm(handshakes, crowd * atOnceOfBox, async (i) => {
    if (i % toldEvery === 0) await annotate(progress('hellos', i), 'siege');
    const secureContext = contexts[i % crowd];
    if (!secureContext) return;
    const { ALPNProtocols, rejectUnauthorized } = tlsSettings(ours);
    const address = { host: '127.0.0.1', port: host.port, servername: '' };
    const socket = connectTls({ ...address, secureContext, ALPNProtocols, rejectUnauthorized });
    socket.on('error', () => {});
    socket.resume();
    socket.once('secureConnect', () => socket.end(damagedHello(prng, prng.chance(0.5) ? hello : asking)));
    await once(socket, 'close').catch(() => {});
  });
  const { counters } = host.reception;
  expect(counters.begun).toBe(handshakes);
  await vi.waitFor(() =>
    expect(counters.failed + counters.refused + counters.agreed + counters.paired + counters.dropped, again).toBe(
      handshakes,
    ),
  );
  // Nearly all of them were heard in good TLS, and not displaced before.
  expect(counters.dropped, again).toBeLessThan(handshakes / 10);
  await vi.waitFor(() => expect(descriptors(), again).toBeLessThanOrEqual(before));
  await annotate(progress('hellos', handshakes), 'siege');
  await expect(dial(ours, host.port, theirs.pin)).resolves.toMatchObject({ peerPin: theirs.pin });
});

test('silent and slow peers at every stage of a handshake have five seconds, and are counted', async () => {
  const host = await relay(theirs, [ours.pin]);
  const start = await clientHello();
  const closed: Promise<unknown>[] = [];
  const plain = (first: Uint8Array): Socket => {
    const socket = connect(host.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(first);
    closed.push(once(socket, 'close'));
    undo(() => socket.destroy());
    return socket;
  };
  plain(Buffer.of(0x16));
  plain(start.subarray(0, 200));
  plain(start);
  const slow = plain(start.subarray(0, 1));
  let at = 1;
  const drip = setInterval(() => slow.write(start.subarray(at, ++at)), 250);
  undo(() => clearInterval(drip));
  // TLS stands, and then: nothing; or half a hello.
  for (const said of [Buffer.alloc(0), encodeFrame(hello).subarray(0, 40)]) {
    const socket = connectTls({ ...tlsSettings(ours), host: '127.0.0.1', port: host.port, servername: '' });
    socket.on('error', () => {});
    socket.once('secureConnect', () => socket.write(said));
    socket.resume();
    closed.push(once(socket, 'close'));
    undo(() => socket.destroy());
  }
  await expect(dial(ours, host.port, theirs.pin)).resolves.toMatchObject({ peerPin: theirs.pin });
  await Promise.all(closed);
  await vi.waitFor(() => expect(host.reception.counters.failed).toBe(6));
  expect(host.reception.counters).toMatchObject({ begun: 7, agreed: 1, dropped: 0 });
});

test('messages of the other daemon, half of them JSON: something known, or nothing', () => {
  const prng = new Prng(seed);
  const good = Buffer.from(JSON.stringify({ kind: 'bye', reason: 'the relay stops' }));
  let understood = 0;
  for (let i = 0; i < inputs; i++) {
    const json = (): Buffer => {
      const value = [null, 1, 'bye', [], {}, '\u0000'.repeat(300), { __proto__: 1 }][prng.int(0, 6)];
      return Buffer.from(JSON.stringify({ kind: prng.chance(0.5) ? 'bye' : value, reason: value, [`k${i}`]: value }));
    };
    const message = readPeerMessage(prng.chance(0.5) ? mutated(prng, good) : json());
    if (message) understood++;
    expect(typeof message, again).toMatch(/^(?:undefined|object)$/u);
  }
  expect(understood, again).toBeGreaterThan(0);
  expect(readPeerMessage(Buffer.from('['.repeat(65_536)))).toBeUndefined();
});
