/**
 * Every bound of the stream lane in one place. The first group is wire format (docs/protocol.md); the rest are this
 * implementation's own, chosen within it. Relations are asserted at the end.
 */
import { assert } from '@tresse/kit';

/** Frames in one record, bytes. */
export const recordTextMax = 65_536;
/** AEAD tag, bytes (RFC 5116). */
export const tagBytes = 16;
/** Length field before every record, bytes. */
export const recordHeaderBytes = 4;
/** A whole record on the wire, bytes. */
export const recordBytesMax: number = recordHeaderBytes + recordTextMax + tagBytes;
/** Type and length of a frame, bytes. */
export const frameHeaderBytes = 4;
/** What a DATA frame adds to its bytes: header, stream, offset. */
export const dataOverheadBytes: number = frameHeaderBytes + 16;
/** Largest chunk of one DATA frame; leaves room for acknowledgements and an OPEN in the same record. */
export const chunkBytesMax: number = recordTextMax - 1_024;
/** Smallest chunk worth a record of its own on a slow line: two full segments of 1,448 bytes. */
export const chunkBytesMin: number = 2 * 1_448 - dataOverheadBytes - recordHeaderBytes - tagBytes;

/** Credit every stream has, outside the autotuned budget, bytes. */
export const creditFloorBytes = 16_384;
/** An out-of-order piece costs at least this much credit, bytes: a peer of one-byte holes gains nothing. */
export const pieceCostBytesMin = 1_024;
/** Small chunks a sender leaves unacknowledged: keeps its pieces within the peer's floor. */
export const smallChunksMax: number = creditFloorBytes / pieceCostBytesMin;
/** Largest window of one stream, bytes: 1 Gbit/s over 130 ms. */
export const creditWindowBytesMax: number = 16 * 1_048_576;
/** Window of a young stream while the budget has room, bytes: no round trip is lost to growing. */
export const creditWindowBytesFirst: number = 1_048_576;
/** What a session's streams may take together, waiting for readers that stand still, the kernel's queues counted, bytes. */
export const memoryBudgetBytes: number = 64 * 1_048_576;
/** A byte that waits costs so many: slabs are not full, and the kernel keeps books (a third more, measured on 6.18). */
export const memoryPerByte = 1.4;
/** So many streams may stand still with their floors filled within the budget. */
const crowdStreams = 1_000;
/** All receive windows above their floors, bytes. */
export const receiveBudgetBytes: number =
  Math.floor(memoryBudgetBytes / memoryPerByte) - crowdStreams * creditFloorBytes;
/** Of that, windows of young streams leave so much to those that have shown that they need it. */
export const receiveReserveShare = 0.25;
/** What a sender keeps until acknowledged, all streams together, bytes. */
export const sendBudgetBytes: number = 64 * 1_048_576;
/** The same in a box: the rest of its memory is for what its LAN hosts' connections hold in the kernel meanwhile. */
export const sendBudgetBytesBox: number = memoryBudgetBytes / 2;
/** The least a sender may keep for one stream, bytes. */
export const sendFloorBytes = 65_536;

/** Frames on their way, all strands together: a peer that acknowledges nothing is sent nothing more from here on. */
export const loggedItemsMax = 32_768;
/** What is read from a local peer beyond the peer's credit: enough until word of more is answered, bytes. */
export const aheadOfCreditBytes = 262_144;
/** Above so much unsent in one strand nothing but what is due by the scheduler goes there: a peer that asks and reads nothing, bytes. */
export const strandUnsentBytesMax = 524_288;
/** Messages on stream 0: so many bytes at once, and a second; each counts as one KiB at least. */
export const messageBurstBytes: number = 1_048_576;
export const messageBytesPerSecond = 65_536;

/** Fixed credit of stream 0, bytes each way. */
export const controlCreditBytes = 65_536;
/** Live streams of a session: a large household's, with every connection its programs keep open for later. */
export const streamsMax = 8_192;
/** Streams a peer may open in a second: far above a household's, far below what fills a server's tables. */
export const opensPerSecond = 512;
/** So many seconds' worth may come at once; a peer that keeps to one has the other for the lines' unequal delays. */
export const opensSavedS = 2;
/** Egress connections of a session that do not stand yet: those to hosts that do not answer stay for ten seconds. */
export const pendingConnectsMax = 1_024;
/** Bulk strands of a path: one carries, the other stands by and helps. */
export const bulkStrands = 2;
/** A strand is replaced so long after a newer key came, ms. */
export const strandOldMs = 600_000;
/** A strand that has carried this much is replaced, bytes: far below what AES-GCM allows under one key (RFC 8446, 5.5). */
export const strandBytesMax: number = 2 ** 37;
/** Strands of a session. */
export const strandsMax = 64;

/** An acknowledgement waits at most this long on a bulk strand, ms; the sender reckons with it. */
export const ackDelayMsMax = 20;
/** The box pings a strand that is not quick this often, ms: a NAT forgets what is idle. */
export const pingSiblingMs = 45_000;
/** Silence that makes a path or strand suspect while another is heard: at least this, ms. */
export const silenceMsMin = 100;
/** ... and at least this many round trips. */
export const silenceRtts = 1.25;
/** Silence without a witness: at least this, ms, and this many round trips. */
export const blindSilenceMs = 2_000;
export const blindSilenceRtts = 4;
/** A stream that has no line left ends after this, ms. */
export const streamWithoutLineMs = 60_000;
/** The relay forgets a session without strands after this, ms (longer than the box). */
export const sessionWithoutStrandsMs = 120_000;

/** Share of the bytes that speculative copies may cost. */
export const hedgeShare = 0.04;
/** ... in the midst of a transfer, where a lossy line's own recovery is as soon as a copy, most times. */
export const hedgeShareEarly = 0.01;

assert(chunkBytesMax + dataOverheadBytes < recordTextMax, 'a chunk fits a record');
assert(streamsMax * creditFloorBytes <= 2 * memoryBudgetBytes, 'the floors are no more than the budget twice');
assert(sessionWithoutStrandsMs > streamWithoutLineMs, 'the box gives up before the relay forgets');
