/**
 * Whether UDP gets packets through on a path, or a strand is to carry them: some networks drop all UDP, some let a trickle
 * of it pass while TCP has the whole line.
 *
 *     open    -> blocked  nothing is heard of what left, though the path's strands are heard
 *     blocked -> open     a report came
 *     open    -> limited  much of what left is lost: the strand is tried, and stays where it carries clearly more
 *     limited -> open     once in a while, to see
 */
import type { Strand } from '../strand/strand.ts';
import type { DatagramFlight } from './datagram-flight.ts';
import { LossWindow } from './loss-window.ts';

export type UdpState = 'open' | 'blocked' | 'limited';

/** Nothing heard for so long, ms, and so many round trips of the path's TCP. */
const blockedMs = 500;
const blockedRtts = 2;
/** So many lost are more than a poor line loses, or one that is just being filled. */
const lossMax = 0.15;
/** The strand is tried for so long, ms, and must bring so much more. */
const trialMs = 1_500;
const trialGain = 1.2;
/** UDP is tried again, and a strand that was no better, after so long, ms; twice as long after each time in vain. */
const againMsMin = 10_000;
const againMsMax = 60_000;
/** A strand that is not needed any more is kept for so long, ms. */
const keptMs = 30_000;
/** What the peer does is shown for so long, ms. */
const peerShownMs = 3_000;

export class UdpWatch {
  #state: UdpState = 'open';
  /** A strand is to stand ready: the box opens it. */
  wantsStrand = false;
  #wantedMs = -Infinity;
  /** When a packet of the peer's came in the strand last, ms. */
  #peerMs = -Infinity;
  readonly #losses: LossWindow = new LossWindow();
  readonly #peerLosses: LossWindow = new LossWindow();
  /** Since when the strand is tried, ms, and what it had brought; -1: it is not. */
  #trialSinceMs = -1;
  #trialBytes = 0;
  /** UDP is being tried again. */
  #retrying = false;
  /** Nothing is tried before, ms. */
  #againMs = -Infinity;
  #againGapMs = againMsMin;
  /** How often UDP was found blocked, or limited. */
  fallbacks = 0;

  get state(): UdpState {
    return this.#state;
  }

  /** For people: what this side found, or the peer, who sends its packets by the strand. */
  shown(nowMs: number): UdpState {
    return this.#state === 'open' && nowMs - this.#peerMs < peerShownMs ? 'limited' : this.#state;
  }

  /** A packet of the peer's came in the strand. */
  noteInStrand(nowMs: number): void {
    this.#peerMs = nowMs;
    this.#wantedMs = nowMs;
  }

  /** Takes how many of the peer's datagrams should have come and how many did: where many are lost on their way here, only the box can open the strand the peer needs. */
  notePeer(sent: number, came: number, nowMs: number): void {
    if (this.#peerLosses.take(sent, came, 0, nowMs) > lossMax) this.#wantedMs = nowMs;
  }

  /** Looks at what became of the datagrams; `strand` is the one that could carry instead, `rttMs` the path's as its strands have it. */
  look(flight: DatagramFlight, strand: Strand | undefined, rttMs: number, nowMs: number): void {
    if (this.#state === 'limited') this.#judgeStrand(flight, strand, nowMs);
    else if (flight.answers(nowMs)) {
      this.#state = 'open';
      this.#judgeLoss(flight, strand, nowMs);
    } else if (this.#state === 'open' && this.#silent(flight, rttMs, nowMs)) {
      this.#state = 'blocked';
      this.fallbacks++;
    }
    if (this.#state !== 'open') this.#wantedMs = nowMs;
    this.wantsStrand = nowMs - this.#wantedMs < keptMs;
  }

  #silent({ askedMs }: DatagramFlight, rttMs: number, nowMs: number): boolean {
    return askedMs >= 0 && nowMs - askedMs >= Math.max(blockedMs, blockedRtts * rttMs);
  }

  #judgeLoss(flight: DatagramFlight, strand: Strand | undefined, nowMs: number): void {
    const loss = this.#losses.take(flight.packetsSettled, flight.packetsCame, flight.bytesAcked, nowMs);
    if (loss < 0) return;
    if (loss <= lossMax) {
      if (this.#retrying) this.#againGapMs = againMsMin;
      this.#retrying = false;
      return;
    }
    if (nowMs < this.#againMs) return;
    this.#wantedMs = nowMs;
    if (!strand) return;
    this.#state = 'limited';
    this.fallbacks++;
    if (this.#retrying) this.#stay(nowMs);
    else {
      this.#trialSinceMs = nowMs;
      this.#trialBytes = strand.bytesAcked;
    }
  }

  #judgeStrand(flight: DatagramFlight, strand: Strand | undefined, nowMs: number): void {
    if (this.#trialSinceMs < 0) {
      if (nowMs < this.#againMs) return;
      this.#retrying = true;
      this.#open(flight, nowMs);
      return;
    }
    const elapsedMs = nowMs - this.#trialSinceMs;
    if (elapsedMs < trialMs) return;
    const brought = strand ? Math.max(0, strand.bytesAcked - this.#trialBytes) : 0;
    if ((brought * 1_000) / elapsedMs > trialGain * this.#losses.rate) this.#stay(nowMs);
    else {
      this.#putOff(nowMs);
      this.#open(flight, nowMs);
    }
    this.#trialSinceMs = -1;
  }

  #open(flight: DatagramFlight, nowMs: number): void {
    this.#state = 'open';
    this.#losses.begin(flight.packetsSettled, flight.packetsCame, flight.bytesAcked, nowMs);
  }

  #stay(nowMs: number): void {
    this.#retrying = false;
    this.#putOff(nowMs);
  }

  #putOff(nowMs: number): void {
    this.#againMs = nowMs + this.#againGapMs;
    this.#againGapMs = Math.min(2 * this.#againGapMs, againMsMax);
  }
}
