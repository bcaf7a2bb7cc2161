import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import { expect, test, vi } from 'vitest';

import { dialRelay, pairWithRelay } from '../src/dial.ts';
import { encodeFrame } from '../src/hello-frame.ts';
import { tlsSettings } from '../src/tls-settings.ts';
import { dial, identity, offer, relay, server, undo } from './peers.ts';

const ours = await identity();
const theirs = await identity();
const stranger = await identity();

test('box and relay agree on the same kid and secret, and tell each other who they are', async () => {
  const host = await relay(theirs, [ours.pin]);
  const got = await dial(ours, host.port, theirs.pin);
  expect(host.admitted).toHaveLength(1);
  const seen = host.admitted[0]!;
  expect(got.kid).toHaveLength(8);
  expect(got.secret).toHaveLength(32);
  expect(got.kid).toEqual(seen.kid);
  expect(got.secret).toEqual(seen.secret);
  expect(got).toMatchObject({ peerPin: theirs.pin, peerIncarnation: 'cd'.repeat(16), cipher: 'aes-256-gcm' });
  expect(seen).toMatchObject({ peerPin: ours.pin, peerIncarnation: offer.incarnation, group: 'X25519MLKEM768' });
  expect(Math.abs(got.relayTimeMs - Date.now())).toBeLessThan(60_000);
});

test('two handshakes never give the same keys', async () => {
  const host = await relay(theirs, [ours.pin]);
  const [one, two] = [await dial(ours, host.port, theirs.pin), await dial(ours, host.port, theirs.pin)];
  expect(one.kid).not.toEqual(two.kid);
  expect(one.secret).not.toEqual(two.secret);
});

test.each([
  ['the box believes in 2040', ['2040-01-01T00:00:00Z', '2050-01-01T00:00:00Z'], undefined],
  ['the relay believes in 2011', undefined, ['2010-01-01T00:00:00Z', '2011-01-01T00:00:00Z']],
  [
    'both are wrong',
    ['2040-01-01T00:00:00Z', '2050-01-01T00:00:00Z'],
    ['2010-01-01T00:00:00Z', '2011-01-01T00:00:00Z'],
  ],
] as const)('dates in certificates decide nothing: %s', async (_, boxDates, relayDates) => {
  const box = await identity(...(boxDates ?? []));
  const own = await identity(...(relayDates ?? []));
  const host = await relay(own, [box.pin]);
  await expect(dial(box, host.port, own.pin)).resolves.toMatchObject({ peerPin: own.pin });
});

test('a box that finds another relay than it was told says both pins and tells it nothing', async () => {
  const host = await relay(stranger, [ours.pin]);
  await expect(dial(ours, host.port, theirs.pin)).rejects.toMatchObject({
    code: 'DIAL_WRONG_PIN',
    message: expect.stringContaining(`its pin is ${stranger.pin}, expected ${theirs.pin}`),
  });
  expect(host.admitted).toEqual([]);
});

test('a box the relay does not know is told so, and nothing of it is let in', async () => {
  const host = await relay(theirs, [ours.pin]);
  await expect(dial(stranger, host.port, theirs.pin)).rejects.toMatchObject({
    code: 'RELAY_REFUSES',
    message: expect.stringContaining('the relay does not know this box: pair them'),
  });
  expect(host.admitted).toEqual([]);
  expect(host.reception.counters.refused).toBe(1);
});

test('a relay whose engine is not ready, or refuses the kid, says so', async () => {
  const notReady = await relay(theirs, [ours.pin], { terms: () => undefined });
  await expect(dial(ours, notReady.port, theirs.pin)).rejects.toMatchObject({ code: 'RELAY_REFUSES' });
  const failing = await relay(theirs, [ours.pin], { admit: () => Promise.reject(new TypeError('no room')) });
  await expect(dial(ours, failing.port, theirs.pin)).rejects.toMatchObject({
    message: expect.stringContaining('starting or stopping'),
  });
});

/** A TLS client which says what it likes. */
async function raw(port: number, box: typeof ours | undefined, changes: object = {}): Promise<TLSSocket> {
  const settings = box ? tlsSettings(box) : { ...tlsSettings(ours), key: undefined, cert: undefined };
  const socket = connectTls({ ...settings, ...changes, host: '127.0.0.1', port, servername: '' } as object);
  socket.on('error', () => {});
  undo(() => socket.destroy());
  await new Promise((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
  return socket;
}

/** What comes back until the close. */
async function answerOf(socket: TLSSocket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  if (!socket.destroyed) await once(socket, 'close');
  return text;
}

test('a peer without a certificate gets the close alone', async () => {
  const host = await relay(theirs, [ours.pin]);
  const socket = await raw(host.port, undefined);
  socket.write(encodeFrame({ type: 'hello' }));
  expect(await answerOf(socket)).toBe('');
  expect(host.admitted).toEqual([]);
});

test.each([
  ['no JSON', Buffer.from([0, 0, 0, 3, 1, 2, 3])],
  ['too long', Buffer.from([0, 2, 0, 0])],
  ['an empty message', Buffer.from([0, 0, 0, 0])],
  ['no hello', encodeFrame({ type: 'goodbye' })],
  ['a hello out of bounds', encodeFrame({ ...offer, type: 'hello', versions: [1], incarnation: 'x' })],
])('a known box that sends %s gets the close alone', async (_, bytes) => {
  const host = await relay(theirs, [ours.pin]);
  const socket = await raw(host.port, ours);
  socket.write(bytes);
  expect(await answerOf(socket)).toBe('');
  expect(host.admitted).toEqual([]);
});

test('a hello in single octets, with keys nobody knows, is understood', async () => {
  const host = await relay(theirs, [ours.pin]);
  const socket = await raw(host.port, ours);
  const { ciphers, ...rest } = offer;
  const hello = { ...rest, type: 'hello', versions: [1, 9], ciphers: ['rot13', ...ciphers], later: { more: true } };
  for (const octet of encodeFrame(hello)) socket.write(Buffer.from([octet]));
  expect(await answerOf(socket)).toContain('"version":1');
});

test('ChaCha20 is agreed where the box prefers it', async () => {
  const host = await relay(theirs, [ours.pin]);
  const target = { address: '127.0.0.1', port: host.port, pin: theirs.pin };
  const got = await dialRelay(target, ours, { ...offer, ciphers: offer.ciphers.toReversed() });
  expect([got.cipher, host.admitted[0]?.cipher]).toEqual(['chacha20-poly1305', 'chacha20-poly1305']);
});

test('a relay takes the first generation whose kid fits', async () => {
  const seen: number[] = [];
  const fits = (kid: Uint8Array): boolean => seen[seen.push(kid[7]! % 4) - 1] === 3;
  const host = await relay(theirs, [ours.pin], { terms: () => ({ ...offer, generation: 2 ** 32 - 1, fits }) });
  const target = { address: '127.0.0.1', port: host.port, pin: theirs.pin };
  const got = await dialRelay(target, ours, offer);
  expect(seen.indexOf(3)).toBe(seen.length - 1);
  expect(got.kid[7]! % 4).toBe(3);
  expect(got.kid).toEqual(host.admitted[0]?.kid);
});

test('where no kid can fit the box is told to come again', async () => {
  const host = await relay(theirs, [ours.pin], { terms: () => ({ ...offer, generation: 1, fits: () => false }) });
  const target = { address: '127.0.0.1', port: host.port, pin: theirs.pin };
  await expect(dialRelay(target, ours, offer)).rejects.toThrow('starting or stopping');
});

test.each([
  ['version', { versions: [9] }],
  ['cipher', { ciphers: ['rot13'] }],
])('no %s in common is a reason', async (code, change) => {
  const host = await relay(theirs, [ours.pin]);
  const socket = await raw(host.port, ours);
  socket.write(encodeFrame({ ...offer, type: 'hello', versions: [1], ...change }));
  expect(await answerOf(socket)).toContain(`{"type":"refused","code":"${code}"}`);
});

test('TLS 1.2 and plain garbage are closed', async () => {
  const host = await relay(theirs, [ours.pin]);
  const old = await raw(host.port, ours, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
  expect(await answerOf(old)).toBe('');
  const garbage = connectTcp(host.port, '127.0.0.1');
  garbage.on('error', () => {});
  garbage.write(Buffer.alloc(300, 0xff));
  garbage.resume();
  await once(garbage, 'close');
  expect(host.reception.counters.failed).toBeGreaterThanOrEqual(2);
});

test('a resumed connection is never accepted as proof', async () => {
  const host = await relay(theirs, [ours.pin]);
  const first = await raw(host.port, ours);
  let session: Buffer | undefined;
  first.on('session', (given: Buffer) => (session = given));
  first.write(encodeFrame({ ...offer, type: 'hello', versions: [1] }));
  await answerOf(first);
  const second = await raw(host.port, ours, { session });
  expect(second.isSessionReused()).toBe(false);
});

test('beside more silent peers than there are places a box still gets in', async () => {
  const host = await relay(theirs, [ours.pin]);
  for (let i = 0; i < 40; i++) {
    const socket = connectTcp(host.port, '127.0.0.1');
    socket.on('error', () => {});
    undo(() => socket.destroy());
    socket.write(Buffer.from([0x16]));
  }
  await vi.waitFor(() => expect(host.reception.counters.begun).toBe(40));
  await expect(dial(ours, host.port, theirs.pin)).resolves.toMatchObject({ peerPin: theirs.pin });
  expect(host.reception.counters.dropped).toBeGreaterThanOrEqual(8);
});

test('strangers who have made keys and say nothing do not displace one another’s better: a box still gets in', async () => {
  const host = await relay(theirs, [ours.pin]);
  for (let i = 0; i < 40; i += 8) {
    // oxlint-disable-next-line no-await-in-loop -- a few at a time
    await Promise.all(Array.from({ length: 8 }, () => raw(host.port, stranger)));
  }
  const box = await raw(host.port, ours);
  await Promise.all(Array.from({ length: 8 }, () => raw(host.port, stranger)));
  box.write(encodeFrame({ ...offer, type: 'hello', versions: [1] }));
  expect(await answerOf(box)).toContain('"version":1');
  expect(host.reception.counters.dropped).toBeGreaterThan(0);
});

test('a fourth unfinished handshake of one pin is refused with a reason', async () => {
  const host = await relay(theirs, [ours.pin]);
  await Promise.all([1, 2, 3].map(() => raw(host.port, ours)));
  await expect(dial(ours, host.port, theirs.pin)).rejects.toMatchObject({
    message: 'the relay has too many unfinished handshakes of this box',
  });
});

test('refused, silent, closed, foreign and unroutable ends are told apart', async () => {
  const free = await server(() => {});
  const silent = dial(ours, free, theirs.pin, {}, { timeoutMs: 50 });
  await expect(silent).rejects.toMatchObject({ code: 'DIAL_TIMEOUT' });
  const closing = await server((socket) => socket.end());
  await expect(dial(ours, closing, theirs.pin)).rejects.toMatchObject({ code: 'DIAL_CLOSED' });
  const foreign = await server((socket) => socket.write('SSH-2.0-other\r\n'));
  await expect(dial(ours, foreign, theirs.pin)).rejects.toMatchObject({ code: 'DIAL_NOT_RELAY' });
  await expect(dial(ours, 1, theirs.pin)).rejects.toMatchObject({ code: 'DIAL_REFUSED' });
  await expect(dial(ours, 7443, theirs.pin, { localAddress: '203.0.113.77' })).rejects.toMatchObject({
    code: 'DIAL_NO_ADDRESS',
    message: 'this machine does not have 203.0.113.77',
  });
  const abort = new AbortController();
  const given = dial(ours, free, theirs.pin, {}, { signal: abort.signal });
  abort.abort();
  await expect(given).rejects.toMatchObject({ name: 'SystemError' });
});

const goodToken = 'AAECAwQFBgcICQoLDA0ODw';
const pairing = (port: number, pin: string, token = goodToken): ReturnType<typeof pairWithRelay> =>
  pairWithRelay({ address: '127.0.0.1', port, pin }, ours, offer, token);

test('a box that brings a token is told its name, and no keys come of it', async () => {
  const asked: string[][] = [];
  const host = await relay(theirs, [], {
    pair: (pin, token) => {
      asked.push([pin, token]);
      return { name: 'home' };
    },
  });
  await expect(pairing(host.port, theirs.pin)).resolves.toMatchObject({ name: 'home' });
  expect(asked).toEqual([[ours.pin, goodToken]]);
  expect(host.admitted).toEqual([]);
  expect(host.reception.counters.paired).toBe(1);
});

test('the token is told to nobody but the relay whose pin we have', async () => {
  const asked: string[] = [];
  const host = await relay(stranger, [], {
    pair: (_, token) => {
      asked.push(token);
      return { name: 'home' };
    },
  });
  await expect(pairing(host.port, theirs.pin)).rejects.toMatchObject({ code: 'DIAL_WRONG_PIN' });
  expect(asked).toEqual([]);
});

test.each([
  ['token-wrong', 'does not know this pairing code'],
  ['token-used', 'was used already'],
  ['token-expired', 'has expired'],
] as const)('%s is a sentence of its own', async (refused, sentence) => {
  const host = await relay(theirs, [ours.pin], { pair: () => ({ refused }) });
  await expect(pairing(host.port, theirs.pin)).rejects.toMatchObject({
    reason: refused,
    message: expect.stringContaining(sentence),
  });
});

test('a relay that cannot write the pairing down says so on both sides', async () => {
  const host = await relay(theirs, [], {
    pair: () => {
      throw new TypeError('no space left on device');
    },
  });
  await expect(pairing(host.port, theirs.pin)).rejects.toThrow('the reason is in its log');
  expect(host.lines.join('')).toContain('no space left on device');
});

test('a revoked box is told so', async () => {
  const host = await relay(theirs, [], { welcome: () => ({ refused: 'revoked' }) });
  const refused = (): Promise<void> =>
    expect(dial(ours, host.port, theirs.pin)).rejects.toThrow('the relay has revoked this box');
  await Promise.all([refused(), refused(), refused()]);
  const told = host.lines.filter((line) => line.includes('a box was refused'));
  expect(told.filter((line) => line.includes('level=warn'))).toHaveLength(1);
  expect(told).toHaveLength(3);
});

test.each([
  ['and its key installed', () => Promise.resolve(undefined)],
  ['and its key refused', () => Promise.reject(new TypeError('ended since'))],
] as const)('a box put out in the middle of its handshake, %s, is told so', async (_, outcome) => {
  let isOut = false;
  const host = await relay(theirs, [ours.pin], {
    welcome: () => (isOut ? { refused: 'revoked' } : { name: 'box' }),
    admit: () => {
      isOut = true;
      return outcome();
    },
  });
  await expect(dial(ours, host.port, theirs.pin)).rejects.toMatchObject({ reason: 'revoked' });
  expect(host.reception.counters.agreed).toBe(0);
});

test('a token that is none is no well-formed hello: the close alone', async () => {
  const host = await relay(theirs, [ours.pin]);
  const socket = await raw(host.port, ours);
  socket.write(encodeFrame({ ...offer, type: 'hello', versions: [1], token: 'short' }));
  expect(await answerOf(socket)).toBe('');
});

test('a box hears of another one with its identity', async () => {
  const host = await relay(theirs, [ours.pin], { admit: () => Promise.resolve('198.51.100.2') });
  await expect(dial(ours, host.port, theirs.pin)).resolves.toMatchObject({ elsewhere: '198.51.100.2' });
});

test('bound to an interface, refused, wrong and silent ends are told apart too', async () => {
  const host = await relay(theirs, [ours.pin]);
  const by = (port: number, from: string, options = {}): ReturnType<typeof dial> =>
    dial(ours, port, theirs.pin, { interface: from, localAddress: '127.0.0.2' }, options);
  await expect(by(host.port, 'lo')).resolves.toMatchObject({ peerPin: theirs.pin });
  await expect(by(1, 'lo')).rejects.toMatchObject({ code: 'DIAL_REFUSED' });
  await expect(by(host.port, 'nowhere0')).rejects.toMatchObject({ code: 'DIAL_FAILED' });
  const free = await server(() => {});
  await expect(by(free, 'lo', { timeoutMs: 50 })).rejects.toMatchObject({ code: 'DIAL_TIMEOUT' });
  const abort = new AbortController();
  const given = by(free, 'lo', { signal: abort.signal });
  abort.abort();
  await expect(given).rejects.toMatchObject({ name: 'SystemError' });
});

test('a peer that begins TLS and says no more is dropped after 5 s', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  undo(() => vi.useRealTimers());
  const host = await relay(theirs, [ours.pin]);
  const socket = connectTcp(host.port, '127.0.0.1');
  undo(() => socket.destroy());
  socket.on('error', () => {});
  let ended = false;
  socket.on('close', () => (ended = true));
  socket.write(Buffer.from([0x16]));
  await expect.poll(() => host.reception.counters.begun).toBe(1);
  vi.advanceTimersByTime(4_900);
  expect(ended).toBe(false);
  vi.advanceTimersByTime(200);
  await once(socket, 'close');
});
