/** The vectors of docs/protocol.md, read from the document itself: it and the code cannot drift apart. */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { recordHeaderBytes, recordTextMax, tagBytes } from '../../src/limits.ts';
import {
  sealCounterOf,
  packetNumberMax,
  packetPrefixBytes,
  readDatagramHeader,
  readPacketPrefix,
  writeDatagramHeader,
  writePacketPrefix,
  datagramHeaderBytes,
  BodyKind,
  PacketClass,
} from '../../src/packet/datagram.ts';
import { piecePrefixBytes, pieceStart, readPiecePlace, writePiecePlace } from '../../src/packet/piece.ts';
import { readReport, reportBytes, writeReport } from '../../src/packet/report.ts';
import { type FrameSink, FrameWriter, readFrames, type Violation } from '../../src/wire/frame.ts';
import { openingAadBytes, openingBytes, openingTextBytes, readOpening, writeOpening } from '../../src/wire/opening.ts';

const text = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');

/** The lines of a block that begins with "```vector NAME", each split at its first separator. */
function vector(name: string, separator: string): [string, string][] {
  const block = new RegExp(`^\`\`\`vector ${name}\n(?<lines>[^\`]+)\`\`\`$`, 'mu').exec(text)?.groups?.['lines'];
  if (block === undefined) throw new Error(`docs/protocol.md has no vector "${name}"`);
  return block
    .trim()
    .split('\n')
    .map((line) => {
      const at = line.lastIndexOf(separator);
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    });
}

const values = (name: string): Record<string, string> => Object.fromEntries(vector(name, '='));
const bytesOf = (hex: string | undefined): Uint8Array => new Uint8Array(Buffer.from(hex ?? '', 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A frame as the document writes it: its name, and its fields in their order. */
class Describer implements FrameSink {
  readonly lines: string[] = [];
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #say(name: string, fields: Record<string, string | number> = {}): undefined {
    this.lines.push([name, ...Object.entries(fields).map(([key, value]) => `${key}=${value}`)].join(' '));
  }

  onOpen(
    stream: number,
    klass: number,
    paths: readonly number[],
    target: { address: Uint8Array; port: number },
    host: number,
    client?: { address: Uint8Array; port: number },
  ) {
    const { address, port } = target;
    const fields = { stream, class: klass, paths: paths.join(','), address: hexOf(address), port };
    const whom = client && { client: hexOf(client.address), clientPort: client.port };
    return this.#say('OPEN', { ...fields, ...((host > 0 || client) && { host }), ...whom });
  }

  onOpened(stream: number) {
    return this.#say('OPENED', { stream });
  }

  onData(stream: number, offset: number, start: number, length: number) {
    return this.#say('DATA', { stream, offset, bytes: hexOf(this.#bytes.subarray(start, start + length)) });
  }

  onFin(stream: number, end: number) {
    return this.#say('FIN', { stream, end });
  }

  onReset(stream: number, reason: number) {
    return this.#say('RESET', { stream, reason });
  }

  onCredit(stream: number, limit: number) {
    return this.#say('CREDIT', { stream, limit });
  }

  onAck(strand: number, records: number, sent: number) {
    return this.#say('ACK', sent < 0 ? { strand, records } : { strand, records, sent });
  }

  onPath(path: number, sequence: number, state: number, metered: boolean, rate: number) {
    return this.#say('PATH', { path, sequence, state, metered: metered ? 1 : 0, rate });
  }

  onPing(token: number) {
    return this.#say('PING', { token });
  }

  onPong(token: number) {
    return this.#say('PONG', { token });
  }

  onDatagram(start: number, length: number) {
    return this.#say('DATAGRAM', { bytes: hexOf(this.#bytes.subarray(start, start + length)) });
  }

  onDrain() {
    return this.#say('DRAIN');
  }
}

function read(bytes: Uint8Array): { lines: string[]; wrong: Violation | undefined } {
  const describer = new Describer(bytes);
  const wrong = readFrames(bytes, 0, bytes.length, describer);
  return { lines: describer.lines, wrong };
}

/** Writes a frame the way the document describes it. */
function write(line: string): Uint8Array {
  const [name = '', ...pairs] = line.split(' ');
  const field = Object.fromEntries(pairs.map((pair) => pair.split('=') as [string, string]));
  const number = (key: string): number => Number(field[key]);
  const out = new Uint8Array(256);
  const writer = new FrameWriter();
  writer.begin(out, 0, out.length);
  const stream = number('stream');
  switch (name) {
    case 'PADDING':
      writer.padding(number('length'));
      break;
    case 'OPEN': {
      const paths = (field['paths'] ?? '').split(',').filter(Boolean).map(Number);
      const target = { address: bytesOf(field['address']), port: number('port') };
      const client =
        field['client'] === undefined ? undefined : { address: bytesOf(field['client']), port: number('clientPort') };
      writer.open(stream, number('class') as 1 | 2 | 3, paths, target, Number(field['host'] ?? 0), client);
      break;
    }
    case 'OPENED':
      writer.opened(stream);
      break;
    case 'DATA': {
      const bytes = bytesOf(field['bytes']);
      out.set(bytes, writer.data(stream, number('offset'), bytes.length));
      break;
    }
    case 'FIN':
      writer.fin(stream, number('end'));
      break;
    case 'RESET':
      writer.reset(stream, number('reason'));
      break;
    case 'CREDIT':
      writer.credit(stream, number('limit'));
      break;
    case 'ACK':
      writer.ack(number('strand'), number('records'), number('sent'));
      break;
    case 'PATH':
      writer.path(number('path'), number('sequence'), number('state'), field['metered'] === '1', number('rate'));
      break;
    case 'PING':
      writer.ping(number('token'));
      break;
    case 'PONG':
      writer.pong(number('token'));
      break;
    case 'DRAIN':
      writer.drain();
      break;
    case 'DATAGRAM': {
      const body = bytesOf(field['bytes']);
      out.set(body, writer.datagram(body.length));
      break;
    }
    default:
      throw new Error(`no frame ${name}`);
  }
  return out.slice(0, writer.at);
}

test.each(vector('frames', ':'))('%s', (line, hex) => {
  expect(hexOf(write(line))).toBe(hex);
  const { lines, wrong } = read(bytesOf(hex));
  expect(wrong).toBeUndefined();
  expect(lines).toEqual(line.startsWith('PADDING') ? [] : [line]);
});

test('every type of the table has a vector', () => {
  const rows = [...text.matchAll(/^\| (?<type>\d+) +\| (?<name>[A-Z]+) +\|/gmu)];
  const documented = rows.map((row) => `${row.groups?.['type']} ${row.groups?.['name']}`);
  const vectors = vector('frames', ':').map(([line, hex]) => `${bytesOf(hex)[0]} ${line.split(' ')[0]}`);
  expect(documented).toEqual([...new Set(vectors)]);
});

test.each(vector('frames-refused', ':'))('%s is the verdict on %s', (verdict, hex) => {
  expect(read(bytesOf(hex)).wrong).toBe(verdict);
});

test('unknown types from 0x80 on are skipped', () => {
  const skipped = vector('frames-skipped', ':').map(([, hex]) => hex);
  const all = bytesOf(`${skipped.join('')}0b000000`);
  expect(read(all)).toEqual({ lines: ['DRAIN'], wrong: undefined });
});

/** Seals or opens as the document says: nonce of four zeros and a counter, the tag behind the text. */
const ciphers = { aes: 'aes-256-gcm', chacha: 'chacha20-poly1305' } as const;
type Cipher = (typeof ciphers)[keyof typeof ciphers];

function nonceOf(counter: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(BigInt(counter), 4);
  return nonce;
}

function seal(cipher: Cipher, key: Uint8Array, counter: number, aad: Uint8Array, plain: Uint8Array): string {
  const sealing = createCipheriv(cipher as 'aes-256-gcm', key, nonceOf(counter), { authTagLength: tagBytes });
  sealing.setAAD(aad, { plaintextLength: plain.length });
  return Buffer.concat([aad, sealing.update(plain), sealing.final(), sealing.getAuthTag()]).toString('hex');
}

function open(cipher: Cipher, key: Uint8Array, counter: number, wire: Uint8Array, aadLength: number): Uint8Array {
  const opening = createDecipheriv(cipher as 'aes-256-gcm', key, nonceOf(counter), { authTagLength: tagBytes });
  const end = wire.length - tagBytes;
  opening.setAAD(wire.subarray(0, aadLength), { plaintextLength: end - aadLength });
  opening.setAuthTag(wire.subarray(end));
  return Buffer.concat([opening.update(wire.subarray(aadLength, end)), opening.final()]);
}

const up = bytesOf(values('keys')['up']);
const down = bytesOf(values('keys')['down']);

test('the opening is written and read as documented', () => {
  const v = values('opening');
  const out = new Uint8Array(openingBytes);
  const opening = { strand: Number(v['strand']), path: Number(v['path']), role: Number(v['role']) as 1 | 2 };
  writeOpening(out, 0, bytesOf(v['kid']), bytesOf(v['salt']), opening);
  const plain = out.subarray(openingAadBytes, openingAadBytes + openingTextBytes);
  expect(hexOf(plain)).toBe(v['text']);
  for (const cipher of Object.values(ciphers)) {
    expect(seal(cipher, up, 0, out.subarray(0, openingAadBytes), plain)).toBe(v[cipher]);
    expect(v[cipher]).toHaveLength(2 * openingBytes);
    const opened = open(cipher, up, 0, bytesOf(v[cipher]), openingAadBytes);
    expect(readOpening(opened, 0)).toEqual(opening);
  }
});

test.each(vector('opening-refused', '='))('an opening with %s is refused', (_why, hex) => {
  expect(readOpening(bytesOf(hex), 0)).toBeUndefined();
});

test('records are sealed as documented, and hold the frames they are said to hold', () => {
  const v = values('records');
  const held = {
    'box to relay, counter 1': [
      'OPEN stream=1 class=2 paths= address=c633640a port=443',
      'CREDIT stream=1 limit=1048576',
    ],
    'box to relay, counter 2': ['DATA stream=1 offset=0 bytes=68656c6c6f', 'FIN stream=1 end=5'],
    'relay to box, counter 0': ['ACK strand=7 records=0'],
  };
  for (const [name, lines] of Object.entries(held)) {
    const key = name.startsWith('box') ? up : down;
    const plain = bytesOf(v[`${name}, text`]);
    expect(read(plain)).toEqual({ lines, wrong: undefined });
    const header = Buffer.alloc(recordHeaderBytes);
    header.writeUInt32BE(plain.length);
    for (const [short, cipher] of Object.entries(ciphers)) {
      const wire = v[`${name}, ${short}`];
      expect(seal(cipher, key, Number(name.at(-1)), header, plain)).toBe(wire);
    }
  }
});

test('a record is as long as the document says at most', () => {
  expect(recordTextMax).toBe(65_536);
  expect(text).toContain('1 <= length <= 65,536');
});

const numbersOf = (name: string): Record<string, number> =>
  Object.fromEntries(Object.entries(values(name)).map(([key, value]) => [key, Number(value)]));

test('the head of a datagram and of a packet in it', () => {
  const { header: headerHex, prefix: prefixHex } = values('datagram');
  const {
    path = 0,
    key = 0,
    session = 0,
    number = 0,
    class: kind = 0,
    bucket = 0,
    sequence = 0,
  } = numbersOf('datagram');
  const bytes = new Uint8Array(64);
  writeDatagramHeader(bytes, 0, { path, key, session, number });
  expect(hexOf(bytes.subarray(0, datagramHeaderBytes))).toBe(headerHex);
  const header = { path: 0, key: 0, session: 0, number: 0 };
  expect(readDatagramHeader(bytes, 0, 64, header)).toBe(true);
  expect(header).toEqual({ path, key, session, number });
  expect(packetNumberMax).toBe(2 ** 45);
  expect(sealCounterOf(path, number)).toBe(path * 2 ** 45 + number);
  const prefix = { class: kind as PacketClass, ordered: true, bucket, sequence };
  writePacketPrefix(bytes, 0, prefix);
  expect(hexOf(bytes.subarray(0, packetPrefixBytes))).toBe(prefixHex);
  const again = { class: 0 as PacketClass, ordered: false, bucket: 0, sequence: 0 };
  expect(readPacketPrefix(bytes, 0, 64, again)).toBe(true);
  expect(again).toEqual(prefix);
});

test('the keys of datagrams, and whole ones under them', () => {
  const { secret, number, ...keys } = values('packet-keys');
  const salt = Uint8Array.of(0, Number(number));
  const key = (direction: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', bytesOf(secret), salt, `tresse v1 packet ${direction}`, 32));
  expect({ up: hexOf(key('up')), down: hexOf(key('down')) }).toEqual(keys);
  const sealed = values('sealed');
  for (const direction of ['up', 'down']) {
    for (const [name, cipher] of Object.entries(ciphers)) {
      const bytes = bytesOf(sealed[`${direction}, ${name}`]);
      const header = { path: 0, key: 0, session: 0, number: 0 };
      expect(readDatagramHeader(bytes, 0, bytes.length, header)).toBe(true);
      expect(header).toEqual({ path: 2, key: 1, session: 0x14151617, number: direction === 'up' ? 9 : 0 });
      const counter = sealCounterOf(header.path, header.number);
      const body = open(cipher, key(direction), counter, bytes, datagramHeaderBytes);
      expect(hexOf(body)).toBe(sealed[`${direction}, body`]);
    }
  }
});

test('pieces of a packet', () => {
  const { packet, first, second } = values('pieces');
  const whole = bytesOf(packet);
  const { length } = whole;
  for (const [index, hex] of [first, second].entries()) {
    const from = pieceStart(length, index, 2);
    const until = pieceStart(length, index + 1, 2);
    const body = new Uint8Array(piecePrefixBytes + until - from);
    const prefix = { class: PacketClass.bulk, ordered: true, bucket: 1_037, sequence: 4_294_967_294 };
    writePacketPrefix(body, 0, prefix, BodyKind.piece);
    writePiecePlace(body, 0, { length, index, pieces: 2 });
    body.set(whole.subarray(from, until), piecePrefixBytes);
    expect(hexOf(body)).toBe(hex);
    const place = { length: 0, index: 0, pieces: 0 };
    expect(readPiecePlace(body, 0, body.length, place)).toBe(true);
    expect(place).toEqual({ length, index, pieces: 2 });
  }
});

test('a report', () => {
  const { body } = values('report');
  const {
    path = 0,
    highest = 0,
    arrived = 0,
    waited = 0,
    packets = 0,
    bytes: came = 0,
    largest = 0,
  } = numbersOf('report');
  const report = { path, highest, arrivedUs: arrived, waitedUs: waited, packets, bytes: came, largest };
  const bytes = new Uint8Array(reportBytes);
  writeReport(bytes, 0, report);
  expect(hexOf(bytes)).toBe(body);
  const again = { path: 0, highest: 0, arrivedUs: 0, waitedUs: 0, packets: 0, bytes: 0, largest: 0 };
  expect(readReport(bytesOf(body), 0, reportBytes, again)).toBe(true);
  expect(again).toEqual(report);
});
