/** Ten thousand inputs of each kind (or `TRESSE_INPUTS`) against a real relay's data plane, and a box of good will beside them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { mutated, Prng } from '@tresse/kit';
import { closeWithReset } from '@tresse/sys';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { socketCount } from './peer.ts';
import { frame, HonestBox, opening, record, Siege, u64 } from './siege.ts';

const inputs = Number(process.env['TRESSE_INPUTS'] ?? 10_000);
// On a machine that has much to do, ten thousand connections take their time.
vi.setConfig({ testTimeout: 12 * inputs, hookTimeout: 60_000 });
/** Inputs under one key, of the 4,096 a box may have. */
const lotSize = 4_000;

const seed = Number(process.env['TRESSE_SEED'] ?? 1);
const again = `TRESSE_SEED=${seed} vitest run --project unit engine/test/hostile.test.ts`;

setFlagsFromString('--expose-gc');
/** What is merely not collected yet is no growth. */
const collectGarbage = runInNewContext('gc') as () => void;

let siege: Siege;
let honest: HonestBox;
let prng: Prng;
let before: number;
let strands: number;
/** Tells the progress of a kind: for whoever watches a long siege. */
let tell: (sent: number) => Promise<void>;

beforeEach(async ({ annotate, task }) => {
  tell = async (sent): Promise<void> => {
    collectGarbage();
    const megabytes = Math.round(process.memoryUsage.rss() / 1e6);
    await annotate(`${task.name.split(':')[0]}: ${sent} sent, ${megabytes} MB, ${socketCount()} sockets`, 'siege');
  };
  before = socketCount();
  prng = new Prng(seed);
  strands = 0;
  siege = await Siege.lay({ workers: 2 });
  await siege.admit(1);
  await siege.admit(2, 'honest');
  honest = await HonestBox.join(siege, 2);
  await honest.exchange();
});

afterEach(async () => {
  await honest.exchange();
  honest.leave();
  const { undecided } = await siege.counters();
  expect(siege.faults, again).toEqual([]);
  expect(undecided, again).toBe(0);
  await siege.raise();
  expect(socketCount(), again).toBe(before);
});

/** Inputs come in lots of one key each. */
async function inLots(each: (kid: number) => Uint8Array, from = 0): Promise<void> {
  await tell(from);
  if (from >= inputs) return;
  const kid = 1 + 2 * (from / lotSize);
  await siege.admit(kid);
  await siege.assail(Math.min(lotSize, inputs - from), () => each(kid));
  await inLots(each, Math.min(inputs, from + lotSize));
}

/** A damaged copy, and behind it enough for whoever waits for more of it: none is left waiting. */
function damaged(good: Buffer): Buffer {
  const bad = mutated(prng, good);
  const whole = Buffer.from(bad.subarray(0, good.length)).equals(good);
  if (whole || bad.length < 4) return Buffer.concat([bad, Buffer.alloc(70_000)]);
  const claimed = Buffer.from(bad).readUInt32BE();
  const missing = claimed <= 65_536 ? Math.max(0, claimed + 20 - bad.length) : 0;
  return Buffer.concat([bad, Buffer.alloc(missing + 49)]);
}

test('openings: half damaged, half sealed with what no box would write', async () => {
  let sealed = 0;
  await inLots((kid) => {
    if (prng.chance(0.5)) return damaged(opening(kid, ++strands).bytes);
    sealed++;
    return opening(kid, ++strands, 1, 1, (text) => {
      for (let i = 0; i < 8; i++) text[i] = prng.int(0, 255);
      // A strand, a path or a role that cannot be.
      const impossible = prng.int(0, 2);
      if (impossible === 0) text.fill(0, 0, 4);
      else if (impossible === 1) text[4] = 0;
      else text[5] = prng.chance(0.5) ? 0 : prng.int(4, 255);
    }).bytes;
  });
  const counters = await siege.counters();
  expect(counters['openingsImpossible'], again).toBe(sealed);
  const kinds = ['strangers', 'handshakes', 'openingsUnknown', 'openingsForged', 'gone'] as const;
  const refused = kinds.reduce((sum, name) => sum + (counters[name] ?? 0), 0);
  expect(refused + ((await siege.sessionCounters())['recordsRefused'] ?? 0), again).toBe(inputs - sealed);
});

/** Frames a box might send, one behind the other. */
function someFrames(): Buffer {
  const stream = u64(2 * prng.int(0, 2_000) + 1);
  const number = u64(Math.floor(prng.logUniform(1, Number.MAX_SAFE_INTEGER)));
  const target = Buffer.from([2, 0, 4, 0, 9, 127, 0, 0, prng.int(0, 255)]);
  const data = Buffer.alloc(prng.int(0, 2_000), 7);
  const known = [
    frame(0, Buffer.alloc(prng.int(0, 20))),
    frame(1, stream, target),
    frame(2, stream),
    frame(3, stream, u64(prng.int(0, 100_000)), data),
    frame(4, stream, number),
    frame(5, stream, Buffer.from([prng.int(0, 255)])),
    frame(6, stream, number),
    frame(7, Buffer.from([0, 0, 0, 1]), number),
    frame(8, Buffer.alloc(15, prng.int(0, 255))),
    frame(9, number),
    frame(10, number),
    frame(0x80 + prng.int(0, 127), data),
  ];
  return Buffer.concat(Array.from({ length: prng.int(1, 5) }, () => known[prng.int(0, known.length - 1)] ?? data));
}

/** The same frames, their targets within this machine: a damaged one must not become somebody's address. */
function keptAtHome(text: Uint8Array): Uint8Array {
  const view = Buffer.from(text);
  for (let at = 0; at + 4 <= view.length; at += 4 + view.readUIntBE(at + 1, 3)) {
    const family = at + 14 + (view[at + 13] ?? 0);
    if (view[at] !== 1 || family + 7 > view.length) continue;
    if (view[family] === 4) view[family + 3] = 127;
    else view.fill(0, family + 3, Math.min(view.length, family + 19));
  }
  return view;
}

test('records: damaged on the way, or made without the key', async () => {
  await inLots((kid) => {
    const { bytes, up } = opening(kid, ++strands, prng.int(1, 255), prng.chance(0.5) ? 1 : 2);
    return Buffer.concat([bytes, damaged(record(up, 1, someFrames()))]);
  });
  const { recordsRefused = 0, violations = 0 } = await siege.sessionCounters();
  expect(recordsRefused + violations, again).toBe(inputs);
});

test('frames: half of them damaged, in authentic records no box would send', async () => {
  await inLots((kid) => {
    const { bytes, up } = opening(kid, ++strands, prng.int(1, 255), prng.chance(0.5) ? 1 : 2);
    const text = someFrames();
    const sent = keptAtHome(prng.chance(0.5) ? mutated(prng, text).subarray(0, 65_000) : text);
    // One that was good is followed by one that is not, so that all end.
    return Buffer.concat([
      bytes,
      record(up, 1, sent.length === 0 ? Buffer.from([0]) : sent),
      record(up, 2, Buffer.from([0x7f, 0, 0, 0])),
    ]);
  });
  expect((await siege.sessionCounters())['violations'], again).toBe(inputs);
  expect((await siege.counters())['memoryBytes'], again).toBeLessThan(64 * 1_048_576);
});

/** Something that begins as a TLS handshake. */
const tlsStart = (): Uint8Array => Uint8Array.from({ length: prng.int(1, 300) }, (_, i) => (i ? prng.u32() : 0x16));

test('TLS starts: whatever they are they go to the main thread untouched', async () => {
  let handed = 0;
  siege.onTls = (fd) => {
    handed++;
    closeWithReset(fd);
  };
  for (let sent = 0; sent < inputs; sent += lotSize) {
    // oxlint-disable-next-line no-await-in-loop -- one lot after the other
    await tell(sent);
    // oxlint-disable-next-line no-await-in-loop
    await siege.assail(Math.min(lotSize, inputs - sent), tlsStart);
  }
  await tell(inputs);
  const { handshakes, handshakesRefused = 0 } = await siege.counters();
  expect(handshakes).toBe(inputs);
  // One source has no more than its allowance of the main thread's time.
  expect(handed + handshakesRefused).toBe(inputs);
  expect(handed).toBeGreaterThanOrEqual(64);
});

/** Messages of one session; the first that is damaged may end it. */
const messagesOfOne = 8;
/** Sessions at a time. */
const crowdSize = 64;

test('messages: half of them damaged, on stream 0 of sessions that end with them', async () => {
  const crowds = Math.ceil(inputs / messagesOfOne / crowdSize);
  let violations = 0;
  for (let crowd = 0, kid = 3; crowd < crowds; crowd++) {
    // oxlint-disable-next-line no-await-in-loop -- one crowd after the other
    if (crowd % 20 === 0) await tell(crowd * crowdSize * messagesOfOne);
    const kids = Array.from({ length: crowdSize }, () => (kid += 2));
    // oxlint-disable-next-line no-await-in-loop
    await Promise.all(kids.map((one) => siege.admit(one, `box ${one}`)));
    // oxlint-disable-next-line no-await-in-loop
    await siege.assail(crowdSize, (i) => messages(kids[i] ?? 0));
    // oxlint-disable-next-line no-await-in-loop
    const { sessions } = await siege.status();
    for (const one of sessions) if (one.peer.startsWith('box ')) violations += one.counters['violations'] ?? 0;
    for (const one of kids) siege.engine.endSession(`box ${one}`);
  }
  await tell(crowds * crowdSize * messagesOfOne);
  expect(violations, again).toBe(crowds * crowdSize);
  expect(siege.messages.length, again).toBeGreaterThan(inputs / 4);
  expect(siege.messages.length, again).toBeLessThan(2 * inputs);
});

/** A connection that says some messages, and ends with a frame nobody may send. */
function messages(kid: number): Uint8Array {
  const { bytes, up } = opening(kid, ++strands);
  const parts: Uint8Array[] = [bytes];
  let offset = 0;
  for (let i = 1; i <= messagesOfOne; i++) {
    const good = Buffer.alloc(4 + prng.int(0, 300), 0x5b);
    good.writeUInt32BE(good.length - 4);
    const said = prng.chance(0.5) ? mutated(prng, good) : good;
    parts.push(record(up, i, frame(3, u64(0), u64(offset), said)));
    offset += said.length;
  }
  return Buffer.concat([...parts, record(up, messagesOfOne + 1, Buffer.from([0x7f, 0, 0, 0]))]);
}
