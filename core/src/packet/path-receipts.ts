import { ReplayWindow } from './replay-window.ts';
import { type Report } from './report.ts';

/** A report is due so long after the last, ms, once a datagram has come; sooner where many have: what may be on its way waits for it. */
const reportGapMs = 25;
const reportGapMsMin = 5;
const reportPackets = 16;
/** Reports alone are reported by so many, so that their sender's log of what is on its way stays short. */
const reportsMax = 64;
const clockWrap = 0x1_0000_0000;

/** What came over one path under the peer's present key: each number once, and what is to be reported of it. */
export class PathReceipts {
  readonly #path: number;
  readonly #window: ReplayWindow = new ReplayWindow();
  #packets = 0;
  #bytes = 0;
  #largest = 0;
  #highestMs = 0;
  #unreported = 0;
  #dueMs: number = Infinity;
  #reportedMs: number = -Infinity;

  constructor(path: number) {
    this.#path = path;
  }

  /** Whether a number never came; see {@link ReplayWindow.fresh}. */
  fresh(number: number): boolean {
    return this.#window.fresh(number);
  }

  /** Notes an authentic datagram: what of it counts, and its whole size, bytes. Returns whether its number is the highest so far: then its source address is the path's. */
  take(number: number, bytes: number, size: number, nowMs: number): boolean {
    const highest = this.#window.mark(number);
    if (highest) this.#highestMs = nowMs;
    this.#packets++;
    this.#bytes += bytes;
    this.#largest = Math.max(this.#largest, size);
    return highest;
  }

  /** Something came that is to be reported: soon, or, of what is but a report itself, when there are many. */
  owe(soon: boolean, nowMs: number): void {
    this.#unreported++;
    if (!soon && this.#unreported < reportsMax) return;
    const dueMs = this.#reportedMs + (this.#unreported >= reportPackets ? reportGapMsMin : reportGapMs);
    this.#dueMs = Math.min(this.#dueMs, Math.max(nowMs, dueMs));
  }

  /** So many were sent to bring forth the highest number, and so many of them came. */
  get sent(): number {
    return this.#window.highest + 1;
  }

  get came(): number {
    return this.#packets;
  }

  /** When the next report is due; Infinity while none is. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Fills the report that is due. */
  report(into: Report, nowMs: number): void {
    into.path = this.#path;
    into.highest = this.#window.highest;
    into.arrivedUs = Math.floor(this.#highestMs * 1_000) % clockWrap;
    into.waitedUs = Math.min(clockWrap - 1, Math.floor((nowMs - this.#highestMs) * 1_000));
    into.packets = this.#packets;
    into.bytes = this.#bytes;
    into.largest = Math.min(0xffff, this.#largest);
    this.#reportedMs = nowMs;
    this.#largest = 0;
    this.#unreported = 0;
    this.#dueMs = Infinity;
  }
}
