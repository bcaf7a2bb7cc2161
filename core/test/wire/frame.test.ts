import fc from 'fast-check';
import { expect, test } from 'vitest';

import { FrameWriter, openFrameBytes, readFrames, type StreamClass } from '../../src/wire/frame.ts';
import { FrameLog, type Read } from '../frame-log.ts';

const u64 = fc.maxSafeNat();
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u8 = fc.integer({ min: 0, max: 255 });
const octets = (min: number, max: number): fc.Arbitrary<number[]> => fc.array(u8, { minLength: min, maxLength: max });
const address = fc.oneof(octets(4, 4), octets(16, 16));

const frames: fc.Arbitrary<Read> = fc.oneof(
  fc.tuple(
    fc.constant('open'),
    u64,
    fc.integer({ min: 1, max: 3 }),
    octets(0, 8),
    address,
    fc.integer({ min: 1, max: 65_535 }),
    fc.integer({ min: 1, max: 255 }),
  ),
  fc.tuple(fc.constant('opened'), u64),
  fc.tuple(fc.constant('data'), u64, u64, octets(0, 60)),
  fc.tuple(fc.constant('fin'), u64, u64),
  fc.tuple(fc.constant('reset'), u64, u8),
  fc.tuple(fc.constant('credit'), u64, u64),
  fc.tuple(fc.constant('ack'), u32, u64, u32),
  fc.tuple(fc.constant('path'), u8, u32, u8, fc.boolean(), u64),
  fc.tuple(fc.constant('ping'), u64),
  fc.tuple(fc.constant('pong'), u64),
  fc.tuple(fc.constant('drain')),
);

function writeFrame(writer: FrameWriter, frame: Read): void {
  const [name, a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = frame;
  const n = Number;
  switch (name as string) {
    case 'open':
      writer.open(
        n(a),
        n(b) as StreamClass,
        c as number[],
        { address: Uint8Array.from(d as number[]), port: n(e) },
        n(f),
      );
      break;
    case 'opened':
      writer.opened(n(a));
      break;
    case 'data': {
      const bytes = c as number[];
      writer.bytes.set(bytes, writer.data(n(a), n(b), bytes.length));
      break;
    }
    case 'fin':
      writer.fin(n(a), n(b));
      break;
    case 'reset':
      writer.reset(n(a), n(b));
      break;
    case 'credit':
      writer.credit(n(a), n(b));
      break;
    case 'ack':
      writer.ack(n(a), n(b), n(c));
      break;
    case 'path':
      writer.path(n(a), n(b), n(c), d === true, n(e));
      break;
    case 'ping':
      writer.ping(n(a));
      break;
    case 'pong':
      writer.pong(n(a));
      break;
    default:
      writer.drain();
  }
}

/** The frames written one behind the other, and where each one ends. */
function written(all: readonly Read[], start = 0): { bytes: Uint8Array; ends: number[]; end: number } {
  const bytes = new Uint8Array(8_192).fill(0xee);
  const writer = new FrameWriter();
  writer.begin(bytes, start, bytes.length - start);
  const ends = all.map((frame) => {
    writeFrame(writer, frame);
    return writer.at;
  });
  expect(writer.room).toBe(bytes.length - writer.at);
  return { bytes, ends, end: writer.at };
}

const records = fc.array(frames, { maxLength: 12 });

test('what is written is read, at any place of a buffer', () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 0, max: 99 }), (all, start) => {
      const { bytes, end } = written(all, start);
      const log = new FrameLog(bytes);
      expect(readFrames(bytes, start, end, log)).toBeUndefined();
      expect(log.read).toEqual(all);
    }),
  );
});

test('a record cut anywhere is refused, and the frames before the cut are read', () => {
  fc.assert(
    fc.property(records, (all) => {
      const { bytes, ends, end } = written(all);
      for (let cut = 0; cut < end; cut++) {
        const log = new FrameLog(bytes);
        const wrong = readFrames(bytes.slice(0, cut), 0, cut, log);
        expect(wrong).toBe(cut === 0 || ends.includes(cut) ? undefined : 'frame-truncated');
        expect(log.read).toEqual(all.slice(0, ends.filter((e) => e <= cut).length));
      }
    }),
    { numRuns: 50 },
  );
});

test('a frame whose body is too short for its type is refused, even when more bytes follow', () => {
  fc.assert(
    fc.property(frames, fc.nat(), (frame, pick) => {
      const { bytes, end } = written([frame]);
      const body = end - 4;
      const needed: Record<string, number> = { data: 16, ack: 12, open: body - 1 };
      const full = needed[String(frame[0])] ?? body;
      if (full === 0) return;
      const shorter = pick % full;
      bytes[1] = 0;
      bytes[2] = shorter >>> 8;
      bytes[3] = shorter & 0xff;
      expect(readFrames(bytes, 0, 4 + shorter, new FrameLog(bytes))).toBe('frame-truncated');
    }),
  );
});

test('bodies may grow: what a later version adds behind is ignored', () => {
  fc.assert(
    fc.property(
      frames.filter(([name]) => name !== 'data'),
      octets(1, 20),
      (frame, more) => {
        // That would be an OPEN's client.
        fc.pre(frame[0] !== 'open' || (more[0] !== 4 && more[0] !== 6));
        const { bytes, end } = written([frame]);
        bytes.set(more, end);
        const length = end - 4 + more.length;
        bytes[2] = length >>> 8;
        bytes[3] = length & 0xff;
        const log = new FrameLog(bytes);
        expect(readFrames(bytes, 0, 4 + length, log)).toBeUndefined();
        expect(log.read).toEqual([frame]);
      },
    ),
  );
});

test('unknown types from 0x80 on are skipped, below it they are refused', () => {
  fc.assert(
    fc.property(u8, octets(0, 30), frames, (type, body, frame) => {
      fc.pre(type > 12);
      const { bytes, end } = written([frame]);
      const record = Uint8Array.from([type, 0, 0, body.length, ...body, ...bytes.subarray(0, end)]);
      const log = new FrameLog(record);
      const wrong = readFrames(record, 0, record.length, log);
      expect(wrong).toBe(type >= 0x80 ? undefined : 'frame-unknown');
      expect(log.read).toEqual(type >= 0x80 ? [frame] : []);
    }),
  );
});

test('padding is skipped, whatever it holds', () => {
  const bytes = new Uint8Array(64).fill(0xff);
  const writer = new FrameWriter();
  writer.begin(bytes, 0, 64);
  writer.padding(0);
  writer.padding(9);
  writer.ping(5);
  bytes[8] = 0x77;
  const log = new FrameLog(bytes);
  expect(readFrames(bytes, 0, writer.at, log)).toBeUndefined();
  expect(log.read).toEqual([['ping', 5]]);
});

test('numbers beyond 2^53 are refused', () => {
  for (const frame of [
    ['fin', 1, 2],
    ['credit', 1, 2],
    ['ack', 1, 2, 3],
    ['ping', 1],
    ['opened', 1],
  ] as Read[]) {
    const { bytes, end } = written([frame]);
    bytes[end - (frame[0] === 'ack' ? 12 : 8)] = 0x20;
    expect(readFrames(bytes, 0, end, new FrameLog(bytes))).toBe('number-too-large');
  }
});

test('an acknowledgement need not say when it left', () => {
  const bytes = new Uint8Array([7, 0, 0, 12, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 44]);
  const log = new FrameLog(bytes);
  expect(readFrames(bytes, 0, bytes.length, log)).toBeUndefined();
  expect(log.read).toEqual([['ack', 7, 300, -1]]);
});

test('mutated records never throw, and every frame read lies within the record', () => {
  const mutations = fc.array(fc.tuple(fc.nat(), u8), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(records, mutations, (all, changes) => {
      const { bytes, end } = written(all);
      for (const [at, value] of changes) if (end > 0) bytes[at % end] = value;
      const sink = new FrameLog(bytes);
      const within = new Proxy(sink, {
        get: (target, key) => {
          if (key !== 'onData') return Reflect.get(target, key).bind(target) as unknown;
          return (_stream: number, _offset: number, start: number, length: number): undefined => {
            expect(start >= 0 && length >= 0 && start + length <= end).toBe(true);
          };
        },
      });
      readFrames(bytes, 0, end, within);
    }),
    { numRuns: 300 },
  );
});

test('noise never throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      readFrames(bytes, 0, bytes.length, new FrameLog(bytes));
    }),
  );
});

test('an OPEN of an unknown class, family or port 0 is refused', () => {
  const open: Read = ['open', 1, 2, [7], [192, 0, 2, 1], 80];
  const at = { klass: 12, family: 15, port: 16 };
  for (const [where, value, wrong] of [
    [at.klass, 0, 'class'],
    [at.klass, 4, 'class'],
    [at.family, 5, 'frame-truncated'],
  ] as const) {
    const { bytes, end } = written([open]);
    bytes[where] = value;
    expect(readFrames(bytes, 0, end, new FrameLog(bytes))).toBe(wrong);
  }
  const { bytes, end } = written([open]);
  bytes[at.port] = 0;
  bytes[at.port + 1] = 0;
  expect(readFrames(bytes, 0, end, new FrameLog(bytes))).toBe('target');
  expect(end).toBe(openFrameBytes({ address: Uint8Array.of(192, 0, 2, 1), port: 80 }, [7]));
});

test('a violation of the sink stops the reading', () => {
  const { bytes, end } = written([
    ['ping', 1],
    ['ping', 2],
  ]);
  const log = new FrameLog(bytes);
  log.onPing = () => 'credit-exceeded';
  expect(readFrames(bytes, 0, end, log)).toBe('credit-exceeded');
  expect(log.read).toEqual([]);
});

test('an OPEN tells whom it speaks for, or nothing; what is cut off is nothing', () => {
  const target = { address: Uint8Array.of(192, 168, 7, 10), port: 80 };
  const bytes = new Uint8Array(128);
  const read = (client: { address: Uint8Array; port: number }, change = 0): unknown => {
    const writer = new FrameWriter();
    writer.begin(bytes, 0, bytes.length);
    writer.open(2, 2, [], target, 0, client);
    bytes[3] = (bytes[3] ?? 0) + change;
    const log = new FrameLog(bytes);
    return readFrames(bytes, 0, writer.at + change, log) ?? log.read[0]?.slice(6);
  };
  const six = new Uint8Array(16).fill(7);
  expect(read({ address: six, port: 9 })).toEqual([0, [...six], 9]);
  expect(read({ address: Uint8Array.of(1, 2, 3, 4), port: 9 })).toEqual([0, [1, 2, 3, 4], 9]);
  for (const cut of [-1, -5, -18, -19]) expect(read({ address: six, port: 9 }, cut)).toEqual([0]);
});
