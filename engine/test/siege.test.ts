/**
 * A box with a good key and bad intentions, at one relay with a box of good will. Whatever the first one does, the second
 * one's bytes go through, and the relay holds no more than it may.
 */
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';

import { full, HostileBox, say } from './hostile-box.ts';
import { Server, socketCount, socketsSettled } from './peer.ts';
import { HonestBox, Siege } from './siege.ts';

// On a machine that has much to do, ten thousand connections take their time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const mebi = 1_048_576;
const budget = 40 * mebi;
const unlimited = Number.MAX_SAFE_INTEGER;

let siege: Siege;
let honest: HonestBox;
let server: Server;
let before: number;
let hostile: HostileBox | undefined;

/** What servers send when asked: more than anybody may hold. */
const flood = Buffer.alloc(16 * mebi, 7);

beforeAll(() => socketsSettled());

beforeEach(async () => {
  before = socketCount();
  siege = await Siege.lay({ memoryBytes: budget });
  await siege.admit(1);
  await siege.admit(2, 'honest');
  honest = await HonestBox.join(siege, 2);
  server = new Server(siege.loop, (peer) => {
    peer.forgetful = true;
    peer.send(flood);
  });
});

afterEach(async () => {
  hostile?.leave();
  await honest.exchange();
  honest.leave();
  server.close();
  expect(siege.faults).toEqual([]);
  for (const box of ['hostile', 'honest']) siege.engine.endSession(box);
  await siege.soon(async () => (await siege.counters())['memoryBytes'] === 0, 'all memory given back');
  await siege.raise();
  expect(socketCount()).toBe(before);
});

/** The attack goes on while the honest box moves its bytes, three times there and back. */
async function besiege(text: () => Uint8Array, options: { strands?: number; reads?: boolean } = {}): Promise<void> {
  const box = new HostileBox(siege, 1, options.strands ?? 2, options.reads ?? true);
  hostile = box;
  let attacking = true;
  siege.loop.afterBatch(() => {
    if (attacking) box.attack(text);
  });
  for (const bytes of [200_000, 1_000, 400_000]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await honest.exchange(bytes);
    // oxlint-disable-next-line no-await-in-loop
    expect((await siege.counters())['heldBytes']).toBeLessThan(3 * budget);
  }
  attacking = false;
}

test('no acknowledgement ever, and credit without end', async () => {
  let streams = 0;
  await besiege(() => {
    if (streams++ >= 400) return say.ping(streams);
    const stream = hostile!.stream();
    return Buffer.concat([say.open(stream, server.port), say.credit(stream, unlimited)]);
  });
  const { streamsOpened } = await siege.sessionCounters();
  expect(streamsOpened).toBeGreaterThan(10);
  await siege.soon(async () => (await siege.counters())['streamsShed']! > 0, 'the greedy lose streams');
});

test('it reads nothing of what it asks for', async () => {
  let streams = 0;
  await besiege(
    () => {
      const stream = hostile!.stream();
      const asks = full(() => say.ping(++streams));
      return streams > 40_000 ? asks : Buffer.concat([say.open(stream, server.port), say.credit(stream, unlimited)]);
    },
    { strands: 16, reads: false },
  );
});

test('streams are opened without end, and reset as soon', async () => {
  await besiege(() =>
    full(() => {
      const stream = hostile!.stream();
      return Buffer.concat([say.open(stream, 9), say.fin(stream, 0), say.reset(stream)]);
    }),
  );
});

test('holes of one byte everywhere', async () => {
  const quiet = new Server(siege.loop, (peer) => peer.pause());
  let stream = -1;
  let offset = 0;
  await besiege(() => {
    if (stream < 0 || offset > 20_000) {
      stream = hostile!.stream();
      offset = -1;
      return say.open(stream, quiet.port);
    }
    return Buffer.concat(Array.from({ length: 40 }, () => say.data(stream, (offset += 2), Buffer.of(1))));
  });
  quiet.close();
});

test('bytes in the smallest pieces there are', async () => {
  const quiet = new Server(siege.loop, (peer) => {
    peer.forgetful = true;
  });
  let stream = -1;
  let offset = 0;
  await besiege(() => {
    if (stream < 0 || offset > 500_000) {
      stream = hostile!.stream();
      offset = 0;
      return say.open(stream, quiet.port);
    }
    return full(() => say.data(stream, offset++, Buffer.of(1)));
  });
  quiet.close();
});

test('used numbers, numbers never opened, acknowledgements of what was never sent', async () => {
  let turn = 0;
  await besiege(() => {
    const stream = hostile!.stream();
    const what = [
      Buffer.concat([say.open(stream, 9), say.open(stream, 9), say.open(Math.max(1, stream - 20), 9)]),
      Buffer.concat([say.open(stream, 9), say.data(stream + 40, 0, Buffer.of(1))]),
      Buffer.concat([say.open(stream, 9), say.ack(1 + (turn % 40), unlimited)]),
      Buffer.concat([say.open(stream, 9), say.credit(stream, 5), say.credit(stream, 1), say.fin(stream, unlimited)]),
    ];
    return what[turn++ % what.length] ?? what[0]!;
  });
  expect(hostile!.ended).toBeGreaterThan(0);
  expect((await siege.sessionCounters())['violations']).toBeGreaterThan(0);
});

test('PINGs and words of lines without end', async () => {
  let number = 0;
  await besiege(
    () => full(() => (number++ % 2 === 0 ? say.ping(number) : say.path(number % 256, number, number % 3 > 0))),
    {
      strands: 8,
    },
  );
});

/** A message of stream 0 as it stands there. */
function message(length: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(length);
  return Buffer.concat([head, Buffer.alloc(length, 0x5b)]);
}

test('messages without end, empty ones and such of 64 KiB', async () => {
  const offsets = [0];
  let turn = 0;
  await besiege(
    () => {
      const bytes = turn++ % 2 === 0 ? Buffer.alloc(60_000) : message(59_996);
      const [at = 0] = offsets;
      offsets[0] = at + bytes.length;
      return say.data(0, at, bytes);
    },
    { strands: 1 },
  );
  expect(siege.messages.length).toBeLessThan(3_000);
  expect((await siege.sessionCounters())['messagesRefused']).toBeGreaterThan(0);
});

test('more strands than it may have', async () => {
  let token = 0;
  await besiege(() => say.ping(++token), { strands: 90 });
  const { sessions, counters } = await siege.status();
  const strands = sessions.find(({ peer }) => peer === 'hostile')!.paths.flatMap((path) => path.strands);
  expect(strands.length).toBeLessThanOrEqual(64);
  expect(counters['openingsRefused']).toBeGreaterThan(0);
});
