/** Frames a peer of bad will could send under a good key: well-formed ones with absurd numbers, and mutations of them. */
import { mutated, type Prng } from '@tresse/kit';

import { recordTextMax, streamsMax } from '../../src/limits.ts';
import { FrameWriter, type StreamClass } from '../../src/wire/frame.ts';

const bytes = new Uint8Array(recordTextMax);

/** The numbers a hostile peer aims around: those in use, and the ends of every range. */
export interface Aim {
  /** The first number of its own kind that it never used. */
  nextStream: number;
  /** Numbers of strands. */
  strands: readonly number[];
}

function number(prng: Prng, near: number): number {
  switch (prng.int(0, 5)) {
    case 0:
      return 0;
    case 1:
      return Number.MAX_SAFE_INTEGER - prng.int(0, 2);
    case 2:
      return Math.floor(prng.logUniform(1, Number.MAX_SAFE_INTEGER));
    default:
      return Math.max(0, near + prng.int(-8, 8));
  }
}

/** Mostly a stream in use, sometimes one never opened, of the wrong kind, or beyond every limit. */
function streamNumber(prng: Prng, aim: Aim): number {
  switch (prng.int(0, 11)) {
    case 0:
      return number(prng, aim.nextStream);
    case 1:
      return aim.nextStream + 2 * prng.int(0, streamsMax + 4);
    case 2:
      return 0;
    default:
      return Math.max(1, aim.nextStream - 2 * prng.int(1, 12));
  }
}

function address(prng: Prng): Uint8Array {
  return Uint8Array.from({ length: prng.chance(0.7) ? 4 : 16 }, () => prng.u32() & 0xff);
}

function writeOpen(prng: Prng, writer: FrameWriter, aim: Aim): void {
  const paths = Array.from({ length: prng.chance(0.9) ? 0 : prng.int(1, 255) }, () => prng.int(0, 255));
  const stream = prng.chance(0.8) ? aim.nextStream : streamNumber(prng, aim);
  if (stream === aim.nextStream) aim.nextStream += 2;
  writer.open(stream, prng.int(1, 3) as StreamClass, paths, { address: address(prng), port: prng.int(1, 65_535) });
}

function writeOne(prng: Prng, writer: FrameWriter, aim: Aim): void {
  const stream = streamNumber(prng, aim);
  const strand = aim.strands[prng.int(0, aim.strands.length - 1)] ?? 0;
  switch (prng.int(0, 12)) {
    case 0:
    case 1:
      writeOpen(prng, writer, aim);
      break;
    case 2:
      writer.opened(stream);
      break;
    case 3:
    case 4: {
      const length = Math.floor(prng.logUniform(1, Math.min(4_000, writer.room - 32)));
      const offset = prng.chance(0.8) ? prng.int(0, 20_000) : number(prng, 1_048_576);
      const at = writer.data(stream, offset, length);
      writer.bytes.fill(prng.int(0, 255), at, at + length);
      break;
    }
    case 5:
      writer.fin(stream, number(prng, 5_000));
      break;
    case 6:
      writer.reset(stream, prng.int(0, 255));
      break;
    case 7:
      writer.credit(stream, number(prng, 1_048_576));
      break;
    case 8:
      writer.ack(prng.chance(0.8) ? strand : prng.u32(), number(prng, 4), prng.u32());
      break;
    case 9:
      writer.path(prng.int(0, 255), prng.u32(), prng.int(0, 255), prng.chance(0.5), number(prng, 1_000_000));
      break;
    case 10:
      writer.ping(number(prng, 1));
      break;
    case 11:
      writer.pong(number(prng, 1));
      break;
    default:
      if (prng.chance(0.3)) writer.drain();
      else writer.padding(prng.int(0, 40));
  }
}

/** The text of one record: up to eight frames; every second one is damaged afterwards. Never empty, never too long. */
export function hostileText(prng: Prng, aim: Aim): Uint8Array {
  const writer = new FrameWriter();
  writer.begin(bytes, 0, recordTextMax);
  for (let frames = prng.int(1, 8); frames > 0 && writer.room > 8_192; frames--) writeOne(prng, writer, aim);
  const text = bytes.slice(0, writer.at);
  const sent = prng.chance(0.5) ? mutated(prng, text) : text;
  return sent.length === 0 ? Uint8Array.of(0) : sent.subarray(0, recordTextMax);
}
