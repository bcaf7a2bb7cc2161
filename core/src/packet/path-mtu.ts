/**
 * The largest datagram that passes a path, known by what arrives and never by ICMP, which many routers do not send and others forge
 * (after RFC 8899). Datagrams are not to be cut on their way, so one that is too long vanishes as if it were lost:
 *
 *     limit ≤ what passes < too large          search: probes between the two, the largest first
 *     sent above all that arrives, three times  ->  the limit falls to what nearly every line passes, and the search begins anew
 *
 * What arrives proves itself, probe or packet, for every report tells the largest that came since the one before. Ordinary loss hits the small ones too,
 * and rarely three of the largest in a row with smaller ones arriving behind; if it does, packets go in pieces until the first probe is answered.
 */

/** A datagram with the largest packet of a tunnel, bytes: over IPv6 that is 1,500 bytes on the wire. */
export const datagramBytesMax = 1_452;
/** Passes nearly everywhere (RFC 8899, 5.1.2), and what passes where this does not: IPv4 hosts take 576 (RFC 791). */
const baseBytes = 1_200;
const floorBytes = 540;
/** The search ends when the two bounds are so near, bytes. */
const nearBytes = 16;
/** So many of a size are lost before it is too large. */
const lostMax = 3;
/** A try waits so long for its answer, ms and round trips, and the next one for so long. */
const answerMs = 60;
const answerRtts = 1.25;
const tryGapMs = 500;
/** Something large went and nothing like it came for so long: it is asked for, so often, ms. */
const doubtMs = 75;
const doubtGapMs = 100;
/** A smaller limit is tried to be raised so often, while something is sent, ms. */
const raiseMs = 60_000;

export class PathMtu {
  #limit = baseBytes;
  #tooLarge = datagramBytesMax + 1;
  /** The probe that is out: its number, size, and whether one behind it has come. 0: none is. */
  #probeBytes = 0;
  #probeNumber = 0;
  #probeMs = -Infinity;
  #passedBy = false;
  #tries = 0;
  #settledMs = -Infinity;
  #sentMs = -Infinity;
  /** The largest sent of which nothing as large has come since: how many, since when, and the number of the one that decides. 0: there is none. */
  #openBytes = 0;
  #openCount = 0;
  #openMs = 0;
  #openNumber = 0;
  #askedMs = -Infinity;
  /** How often what had passed did no longer. */
  shrinks = 0;

  /** No datagram larger than this should leave, bytes, UDP's header not counted. */
  get limitBytes(): number {
    return this.#limit;
  }

  /** The largest that passes is known, but for a few bytes. */
  get settled(): boolean {
    return this.#limit >= datagramBytesMax || this.#tooLarge - this.#limit <= nearBytes;
  }

  /** A datagram of a packet leaves. */
  sent(number: number, bytes: number, nowMs: number): void {
    this.#sentMs = nowMs;
    this.#note(number, bytes, nowMs);
  }

  /** How large the next probe is, bytes. */
  get probeBytes(): number {
    if (this.#openBytes > 0) return this.#openBytes;
    const first = this.settled || this.#tooLarge > datagramBytesMax;
    return first ? datagramBytesMax : Math.floor((this.#limit + this.#tooLarge) / 2);
  }

  /** When that is due, ms; Infinity: the limit is found, and holds. A small one is to follow it at once, whose arrival tells of its loss. */
  probeDueMs(rttMs: number): number {
    if (this.#openBytes > 0) return Math.max(this.#openMs + rttMs + doubtMs, this.#askedMs + doubtGapMs);
    if (this.#limit >= datagramBytesMax) return Infinity;
    if (this.settled && this.#probeBytes === 0) {
      return this.#sentMs > this.#settledMs ? this.#settledMs + raiseMs : Infinity;
    }
    return this.#probeBytes === 0 ? -Infinity : this.#probeMs + Math.max(tryGapMs, answerRtts * rttMs + answerMs);
  }

  /** The probe leaves. */
  probed(number: number, bytes: number, nowMs: number): void {
    if (this.#openBytes > 0) {
      this.#askedMs = nowMs;
      this.#note(number, bytes, nowMs);
      return;
    }
    if (this.settled) {
      this.#tooLarge = datagramBytesMax + 1;
      this.#tries = 0;
    }
    this.#probeBytes = bytes;
    this.#probeNumber = number;
    this.#probeMs = nowMs;
    this.#passedBy = false;
  }

  /** The peer tells which number came last, and how large the largest was since it told so before, bytes. */
  take(highest: number, largest: number, rttMs: number, nowMs: number): void {
    if (largest >= this.#openBytes) this.#openBytes = 0;
    if (largest > this.#limit) this.#raise(Math.min(largest, datagramBytesMax), nowMs);
    if (this.#probeBytes > 0 && highest > this.#probeNumber && !this.#passedBy) this.#miss(nowMs);
    const overdue = this.#openCount >= lostMax && nowMs - this.#openMs >= rttMs + doubtMs;
    if (this.#openBytes > 0 && overdue && highest > this.#openNumber) this.#shrink();
  }

  #note(number: number, bytes: number, nowMs: number): void {
    if (bytes < this.#openBytes || bytes <= floorBytes) return;
    if (bytes > this.#openBytes) {
      this.#openBytes = bytes;
      this.#openCount = 0;
      this.#openMs = nowMs;
    }
    if (++this.#openCount === lostMax) this.#openNumber = number;
  }

  #raise(bytes: number, nowMs: number): void {
    this.#limit = bytes;
    if (this.#tooLarge <= bytes) this.#tooLarge = datagramBytesMax + 1;
    if (bytes >= this.#probeBytes) this.#next();
    this.#settledMs = nowMs;
  }

  /** A later one came, the probe did not. */
  #miss(nowMs: number): void {
    this.#passedBy = true;
    if (++this.#tries < lostMax) return;
    this.#tooLarge = this.#probeBytes;
    this.#next();
    this.#settledMs = nowMs;
  }

  #next(): void {
    this.#probeBytes = 0;
    this.#tries = 0;
  }

  #shrink(): void {
    this.shrinks++;
    this.#limit = this.#openBytes > baseBytes ? baseBytes : floorBytes;
    this.#tooLarge = datagramBytesMax + 1;
    this.#openBytes = 0;
    this.#next();
  }
}
