/**
 * Frames of a record: `type 1 | length 3 | body` (docs/protocol.md). The writer fills a buffer the caller owns, the reader
 * calls a sink; neither allocates per frame, except for an OPEN.
 */
import { frameHeaderBytes } from '../limits.ts';
import { readU16, readU24, readU32, readU64, writeU16, writeU24, writeU32, writeU64 } from './wire.ts';

const FrameType = {
  padding: 0,
  open: 1,
  opened: 2,
  data: 3,
  fin: 4,
  reset: 5,
  credit: 6,
  ack: 7,
  path: 8,
  ping: 9,
  pong: 10,
  drain: 11,
  datagram: 12,
} as const;

/** Types from here on are skipped when unknown; below it they close the strand. */
const skippableFrom = 0x80;

/** How a flow is scheduled and queued. */
export const StreamClass = { realtime: 1, interactive: 2, bulk: 3 } as const;
export type StreamClass = (typeof StreamClass)[keyof typeof StreamClass];

/** Why a stream was reset; carried in RESET. */
export const ResetReason = {
  none: 0,
  refused: 1,
  unreachable: 2,
  timeout: 3,
  localReset: 4,
  forbidden: 5,
  limit: 6,
  sessionEnded: 7,
  internal: 8,
} as const;
export type ResetReason = number;

/** Where a stream leads: an address, never a name. */
export interface Target {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

export const PathState = { down: 0, up: 1 } as const;

/** What the reader found wrong; the strand is closed and the cause counted. */
export type Violation =
  | 'frame-truncated'
  | 'frame-unknown'
  | 'number-too-large'
  | 'stream-without-open'
  | 'stream-number'
  | 'credit-exceeded'
  | 'offset-beyond-end'
  | 'ack-beyond-sent'
  | 'class'
  | 'target'
  | 'piece-cost'
  | 'end-changed'
  | 'streams-exceeded'
  | 'message-length'
  | 'message-rate';

/** Receives the frames of one record; a returned violation stops reading. */
export interface FrameSink {
  /** `host` is the opener's number for its host, 0 where it does not say; `client` where that is told to speak from. */
  onOpen(
    stream: number,
    klass: number,
    paths: readonly number[],
    target: Target,
    host: number,
    client?: Target,
  ): Violation | undefined;
  onOpened(stream: number): Violation | undefined;
  /** The bytes stand at [start, start + length) of the buffer given to the reader, valid during the call. */
  onData(stream: number, offset: number, start: number, length: number): Violation | undefined;
  onFin(stream: number, end: number): Violation | undefined;
  onReset(stream: number, reason: number): Violation | undefined;
  onCredit(stream: number, limit: number): Violation | undefined;
  /** `sentUs` by the peer's clock, modulo 2^32; -1 where it does not say. */
  onAck(strand: number, records: number, sentUs: number): Violation | undefined;
  onPath(path: number, sequence: number, state: number, metered: boolean, rateBps: number): Violation | undefined;
  onPing(token: number): Violation | undefined;
  onPong(token: number): Violation | undefined;
  onDrain(): Violation | undefined;
  /** A body of the packet lane stands at [start, start + length) of the buffer given to the reader, valid during the call. */
  onDatagram(start: number, length: number): Violation | undefined;
}

/** Smallest body of each known type, in the order of the type numbers. */
const bodyMin: readonly number[] = [0, 17, 8, 16, 16, 9, 16, 12, 15, 8, 8, 0, 1];

/** Reads all frames in [start, end). Returns what is wrong, or undefined; never throws for a peer's bytes. */
export function readFrames(bytes: Uint8Array, start: number, end: number, sink: FrameSink): Violation | undefined {
  let at = start;
  while (at < end) {
    if (end - at < frameHeaderBytes) return 'frame-truncated';
    const type = bytes[at] ?? 0;
    const length = readU24(bytes, at + 1);
    const body = at + frameHeaderBytes;
    if (body + length > end) return 'frame-truncated';
    const wrong = readFrame(type, bytes, body, length, sink);
    if (wrong !== undefined) return wrong;
    at = body + length;
  }
  return undefined;
}

function readFrame(
  type: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  sink: FrameSink,
): Violation | undefined {
  if (type >= skippableFrom) return undefined;
  const minimum = bodyMin[type];
  if (minimum === undefined) return 'frame-unknown';
  if (length < minimum) return 'frame-truncated';
  switch (type) {
    case FrameType.padding:
      return undefined;
    case FrameType.ack: {
      const records = readU64(bytes, at + 4);
      const sentUs = length < 16 ? -1 : readU32(bytes, at + 12);
      return records < 0 ? 'number-too-large' : sink.onAck(readU32(bytes, at), records, sentUs);
    }
    case FrameType.path:
      return sink.onPath(
        bytes[at] ?? 0,
        readU32(bytes, at + 1),
        bytes[at + 5] ?? 0,
        bytes[at + 6] === 1,
        readU64(bytes, at + 7),
      );
    case FrameType.ping:
    case FrameType.pong: {
      const token = readU64(bytes, at);
      if (token < 0) return 'number-too-large';
      return type === FrameType.ping ? sink.onPing(token) : sink.onPong(token);
    }
    case FrameType.drain:
      return sink.onDrain();
    case FrameType.datagram:
      return sink.onDatagram(at, length);
    default:
      return readStreamFrame(type, bytes, at, length, sink);
  }
}

function readStreamFrame(
  type: number,
  bytes: Uint8Array,
  at: number,
  length: number,
  sink: FrameSink,
): Violation | undefined {
  const stream = readU64(bytes, at);
  if (stream < 0) return 'number-too-large';
  switch (type) {
    case FrameType.open:
      return readOpen(stream, bytes, at + 8, at + length, sink);
    case FrameType.opened:
      return sink.onOpened(stream);
    case FrameType.reset:
      return sink.onReset(stream, bytes[at + 8] ?? 0);
    default: {
      const number = readU64(bytes, at + 8);
      if (number < 0) return 'number-too-large';
      if (type === FrameType.data) return sink.onData(stream, number, at + 16, length - 16);
      return type === FrameType.fin ? sink.onFin(stream, number) : sink.onCredit(stream, number);
    }
  }
}

function readOpen(stream: number, bytes: Uint8Array, at: number, end: number, sink: FrameSink): Violation | undefined {
  const klass = bytes[at] ?? 0;
  if (klass < StreamClass.realtime || klass > StreamClass.bulk) return 'class';
  const pathCount = bytes[at + 1] ?? 0;
  const family = at + 2 + pathCount;
  const addressBytes = bytes[family] === 4 ? 4 : 16;
  if (family + 3 + addressBytes > end) return 'frame-truncated';
  if (bytes[family] !== 4 && bytes[family] !== 6) return 'target';
  const paths = pathCount === 0 ? noPaths : [...bytes.subarray(at + 2, family)];
  const port = readU16(bytes, family + 1);
  if (port === 0) return 'target';
  const hostAt = family + 3 + addressBytes;
  const host = hostAt < end ? (bytes[hostAt] ?? 0) : 0;
  const target = { address: bytes.slice(family + 3, hostAt), port };
  return sink.onOpen(stream, klass, paths, target, host, readClient(bytes, hostAt + 1, end));
}

/** Undefined where there is none, whole and of a family: what is left over of a body is ignored. */
function readClient(bytes: Uint8Array, at: number, end: number): Target | undefined {
  const family = at < end ? bytes[at] : 0;
  const length = family === 4 ? 4 : family === 6 ? 16 : 0;
  if (length === 0 || at + 3 + length > end) return undefined;
  return { address: bytes.slice(at + 3, at + 3 + length), port: readU16(bytes, at + 1) };
}

const noPaths: readonly number[] = [];

/** Bytes of an OPEN frame without a host, header included. */
export function openFrameBytes(target: Target, paths: readonly number[]): number {
  return frameHeaderBytes + 8 + 2 + paths.length + 3 + target.address.length;
}

/** Writes frames one behind the other into a buffer; the caller sees to the room. */
export class FrameWriter {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** Starts a record's text at `start`; at most `room` bytes. */
  begin(bytes: Uint8Array, start: number, room: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = start + room;
  }

  /** The buffer being written to. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Where the next frame will stand. */
  get at(): number {
    return this.#at;
  }

  /** Bytes left. */
  get room(): number {
    return this.#end - this.#at;
  }

  padding(length: number): void {
    const body = this.#header(FrameType.padding, length);
    this.#bytes.fill(0, body, body + length);
  }

  open(stream: number, klass: StreamClass, paths: readonly number[], target: Target, host = 0, client?: Target): void {
    const hostBytes = host > 0 || client ? 1 : 0;
    const more = hostBytes + (client ? 3 + client.address.length : 0);
    const body = this.#header(FrameType.open, openFrameBytes(target, paths) - frameHeaderBytes + more);
    writeU64(this.#bytes, body, stream);
    this.#bytes[body + 8] = klass;
    this.#bytes[body + 9] = paths.length;
    for (let i = 0; i < paths.length; i++) this.#bytes[body + 10 + i] = paths[i] ?? 0;
    const family = body + 10 + paths.length;
    this.#bytes[family] = target.address.length === 4 ? 4 : 6;
    writeU16(this.#bytes, family + 1, target.port);
    this.#bytes.set(target.address, family + 3);
    const hostAt = family + 3 + target.address.length;
    if (hostBytes > 0) this.#bytes[hostAt] = host;
    if (!client) return;
    this.#bytes[hostAt + 1] = client.address.length === 4 ? 4 : 6;
    writeU16(this.#bytes, hostAt + 2, client.port);
    this.#bytes.set(client.address, hostAt + 4);
  }

  opened(stream: number): void {
    writeU64(this.#bytes, this.#header(FrameType.opened, 8), stream);
  }

  /** Writes the head of a DATA frame; returns where its `length` bytes belong. */
  data(stream: number, offset: number, length: number): number {
    const body = this.#header(FrameType.data, 16 + length);
    writeU64(this.#bytes, body, stream);
    writeU64(this.#bytes, body + 8, offset);
    return body + 16;
  }

  fin(stream: number, end: number): void {
    this.#pair(FrameType.fin, stream, end);
  }

  reset(stream: number, reason: ResetReason): void {
    const body = this.#header(FrameType.reset, 9);
    writeU64(this.#bytes, body, stream);
    this.#bytes[body + 8] = reason;
  }

  credit(stream: number, limit: number): void {
    this.#pair(FrameType.credit, stream, limit);
  }

  /** `sentUs`: now, by the sender's clock, modulo 2^32. */
  ack(strand: number, records: number, sentUs: number): void {
    const body = this.#header(FrameType.ack, 16);
    writeU32(this.#bytes, body + 12, sentUs);
    writeU32(this.#bytes, body, strand);
    writeU64(this.#bytes, body + 4, records);
  }

  path(path: number, sequence: number, state: number, metered: boolean, rateBps: number): void {
    const body = this.#header(FrameType.path, 15);
    this.#bytes[body] = path;
    writeU32(this.#bytes, body + 1, sequence);
    this.#bytes[body + 5] = state;
    this.#bytes[body + 6] = metered ? 1 : 0;
    writeU64(this.#bytes, body + 7, rateBps);
  }

  ping(token: number): void {
    writeU64(this.#bytes, this.#header(FrameType.ping, 8), token);
  }

  pong(token: number): void {
    writeU64(this.#bytes, this.#header(FrameType.pong, 8), token);
  }

  drain(): void {
    this.#header(FrameType.drain, 0);
  }

  /** Writes the head of a DATAGRAM frame; returns where its `length` bytes belong. */
  datagram(length: number): number {
    return this.#header(FrameType.datagram, length);
  }

  #pair(type: number, first: number, second: number): void {
    const body = this.#header(type, 16);
    writeU64(this.#bytes, body, first);
    writeU64(this.#bytes, body + 8, second);
  }

  #header(type: number, length: number): number {
    this.#bytes[this.#at] = type;
    writeU24(this.#bytes, this.#at + 1, length);
    const body = this.#at + frameHeaderBytes;
    this.#at = body + length;
    return body;
  }
}
