/** How much of a stream one record carries: little of a line's time, and whole segments. */
import { chunkBytesMax, chunkBytesMin, dataOverheadBytes, recordHeaderBytes, tagBytes } from '../limits.ts';
import { segmentBytes } from '../strand/strand.ts';

/** What a chunk's record adds to it, bytes. */
const chunkOverheadBytes: number = dataOverheadBytes + recordHeaderBytes + tagBytes;
/** Of a line's time, ms: the longer, the later is heard what the record says; the shorter, the more its 40 bytes cost. */
const chunkMs = 10;
/** On slower lines they tell: longer chunks there, of up to ten segments; of up to three on the feeblest. */
export const slowChunkMs = 20;
const slowChunkBytesMax: number = 10 * segmentBytes;
const feebleChunkMs = 60;
const feebleChunkBytesMax: number = 3 * segmentBytes;

/** The chunk for a line of so many bytes per second; between two segments and a record. */
export function chunkSize(rate: number): number {
  const slow = Math.min((rate * slowChunkMs) / 1_000, slowChunkBytesMax);
  const feeble = Math.min((rate * feebleChunkMs) / 1_000, feebleChunkBytesMax);
  const wanted = Math.floor(Math.max((rate * chunkMs) / 1_000, slow, feeble));
  return wholeSegments(Math.max(chunkBytesMin, Math.min(chunkBytesMax, wanted)));
}

/**
 * The largest chunk up to `bytes` whose record fills whole segments, for a part of one costs a header of its own; `bytes`
 * itself where that is less than two.
 */
export function wholeSegments(bytes: number): number {
  const segments = Math.floor((bytes + chunkOverheadBytes) / segmentBytes);
  return segments < 2 ? bytes : segments * segmentBytes - chunkOverheadBytes;
}
