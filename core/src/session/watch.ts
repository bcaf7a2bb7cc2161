import { ackDelayMsMax, sessionWithoutStrandsMs, silenceMsMin, silenceRtts, streamWithoutLineMs } from '../limits.ts';
/**
 * What time brings: death and return of paths and strands, chunks that are overdue, streams that have lost every line.
 * Called at every turn of the loop; all decisions are taken from the strands' own traffic.
 */
import { slowChunkMs } from '../line/chunk-size.ts';
import { pathFellSilent, pathIsLate, speaksForPath, strandFellSilent } from '../line/liveness.ts';
import type { Path } from '../line/path.ts';
import { deafness, pathFellDeaf } from '../line/proxy-watch.ts';
import { StrandTurnover } from '../strand/strand-turnover.ts';
import type { Strand } from '../strand/strand.ts';
import type { Chunk } from '../stream/chunk.ts';
import type { CreditRenewal } from '../stream/credit-renewal.ts';
import type { Stream } from '../stream/stream.ts';
import { ResetReason } from '../wire/frame.ts';
import type { SessionState } from './session-state.ts';

/** At a transfer's tail a chunk is late by this, ms, or a quarter of a round trip. */
const tailLateMs = 20;
/** Delivery that pauses for this long, ms, or half a round trip: the chunk it waits for may go again if it is late. */
const slackMsMin = 60;
/** ... and goes whatever it costs where it is late by this, ms: its line's own recovery has failed. */
const overdueMs = 100;
/** Chunks looked at behind the one that blocks delivery. */
const hedgeDepth = 32;
/** Who was heard so shortly before is not asked for a sign of life, ms. */
const askAgainMs = 50;
/** From this share of what makes a path deaf its other strands are asked. */
const deafnessAsked = 0.5;
/** A line that is heard again so soon, ms, or within two round trips, was never dead. */
const needlessMs = 300;
/** How often idle streams are looked for, ms. */
const restGapMs = 500;
/** Copies of a chunk, the first included. */
const copiesMax = 4;

export class Watch {
  readonly #state: SessionState;
  readonly #renewal: CreditRenewal;
  /** Told when a path falls silent or comes back; for the dialer and the log. */
  readonly #onPath: (path: Path) => void;
  readonly #turnover: StrandTurnover;
  #restedMs = 0;

  constructor(state: SessionState, renewal: CreditRenewal, onPath: (path: Path) => void) {
    this.#state = state;
    this.#renewal = renewal;
    this.#onPath = onPath;
    this.#turnover = new StrandTurnover(state);
  }

  /** One look at everything. Returns false when the session is over: it had no strand for too long. */
  tick(): boolean {
    const state = this.#state;
    this.#judgePaths();
    this.#judgeStrands();
    for (const path of state.paths.values()) path.pace(state.latencyMatters, state.nowMs);
    state.tellPaths();
    this.#renewal.look();
    for (let i = 0; i < state.outstanding.size; i++) this.#hedge(state.outstanding.at(i));
    if (state.nowMs - this.#restedMs >= restGapMs) this.#rest();
    return this.#judgeSession();
  }

  /** What needs no haste: strands are replaced, idle streams give their windows back to the common budget. */
  #rest(): void {
    const { nowMs, unrested } = this.#state;
    this.#restedMs = nowMs;
    this.#turnover.look();
    for (let i = unrested.size - 1; i >= 0; i--) {
      const stream = unrested.at(i);
      if (stream?.credit.rest(nowMs) === true) unrested.delete(stream);
    }
  }

  #judgePaths(): void {
    const { nowMs, paths, counters } = this.#state;
    for (const path of paths.values()) {
      if (path.suspect) {
        if (path.lastHeardMs > path.suspectSinceMs) {
          path.suspect = false;
          if (nowMs - path.suspectSinceMs < Math.max(needlessMs, 2 * path.minRttMs)) counters.pathSuspicionsNeedless++;
          // Idle siblings were suspect only with their path: nothing of theirs waits for an answer.
          for (const strand of path.strands) {
            const waits = strand.unackedSegments > 0 || strand.unsentBytes > 0;
            strand.suspect &&= waits || (strand.recordsOnly && strand.owes);
          }
          path.deaf = false;
          this.#onPath(path);
        }
      } else if (pathFellSilent(path, paths.values(), nowMs) || this.#fellDeaf(path)) {
        path.suspect = true;
        path.suspectSinceMs = nowMs;
        path.suspicions++;
        counters.pathSuspicions++;
        for (const strand of path.strands) this.#suspect(strand);
        this.#onPath(path);
      } else if (pathIsLate(path, nowMs) || (!path.recordsOnly && deafness(path, nowMs) > deafnessAsked)) {
        this.#askAround(path);
      }
    }
  }

  #fellDeaf(path: Path): boolean {
    if (path.recordsOnly || !pathFellDeaf(path, this.#state.paths.values(), this.#state.nowMs)) return false;
    path.deaf = true;
    this.#state.counters.pathsDeaf++;
    return true;
  }

  #suspect(strand: Strand): void {
    strand.suspect = true;
    this.#state.loseStrand(strand);
  }

  /** Nothing new goes where a strand fell silent, until another one is heard there: as long as there is another path. */
  #doubt(path: Path): void {
    const { nowMs, paths } = this.#state;
    for (const other of paths.values()) {
      if (other !== path && other.usable && other.answered) path.doubtSinceMs = nowMs;
    }
  }

  /**
   * Who is quiet is no witness: other paths, and the late path's other strands, are asked to say a word. Metered paths only
   * where no other one could, or where they are late themselves.
   */
  #askAround(late: Path): void {
    const { nowMs, paths } = this.#state;
    let ordinary = false;
    for (const path of paths.values()) ordinary ||= path !== late && !path.metered && path.usable && path.answered;
    for (const path of paths.values()) {
      if (path === late) for (const strand of path.strands) this.#ask(strand);
      else if (path.usable && !(path.metered && ordinary) && nowMs - path.lastHeardMs > askAgainMs) {
        this.#ask(path.quick() ?? path.bulk(nowMs));
      }
    }
  }

  /** Asks for a sign of life, unless an answer is due already. */
  #ask(strand: Strand | undefined): void {
    if (strand?.state !== 'answered' || strand.suspect || strand.pingToken >= 0) return;
    if (strand.outstandingSinceMs === Infinity) strand.pingDueMs = this.#state.nowMs;
  }

  #judgeStrands(): void {
    const { nowMs, paths, strands, counters } = this.#state;
    for (const strand of strands.values()) {
      if (strand.suspect || strand.state !== 'answered' || !strandFellSilent(strand, paths, nowMs)) continue;
      const path = this.#state.path(strand.path);
      counters.strandSuspicions++;
      if (speaksForPath(strand, path, nowMs)) this.#doubt(path);
      this.#suspect(strand);
    }
  }

  /**
   * Sends overdue chunks again on another line. The one that blocks delivery may always go; further copies are
   * speculation, and cost at most a share of all bytes.
   */
  #hedge(stream: Stream | undefined): void {
    const { nowMs } = this.#state;
    if (!stream?.send.head) return;
    const rttMs = this.#state.longestRttMs();
    const tail =
      stream.sendableBytes <= 0 && (stream.localDry || stream.sendEnd >= 0 || stream.creditLimit <= stream.send.next);
    const stillMs = Math.max(silenceMsMin, silenceRtts * rttMs);
    const sinceMs = nowMs - stream.progressMs;
    const standstill = sinceMs > stillMs;
    const slackens = sinceMs > Math.max(slackMsMin, rttMs / 2);
    if (!tail && !slackens) return;
    let lateMs = tailLateMs;
    if (tail) lateMs = Math.max(tailLateMs, rttMs / 4);
    else if (standstill) lateMs = stillMs / 2;
    const { hedgeShare, hedgeShareEarly, overtakeMs } = this.#state.policy;
    const overtaking = tail && overtakeMs < Infinity && this.#idle;
    const depth = tail || standstill ? hedgeDepth : 1;
    for (let i = 0; i < depth; i++) {
      const chunk = stream.send.chunkAt(i);
      if (!chunk) break;
      if (chunk.acked || chunk.lost || chunk.sends === 0) continue;
      if (nowMs - chunk.dueMs < lateMs + this.#slackMs(chunk, !tail && !standstill)) {
        if (!overtaking) break;
        if (chunk.sends > 1 || !this.#overtakes(stream, chunk)) continue;
      }
      const overdue = standstill || nowMs - chunk.dueMs > overdueMs;
      if (!this.#worthHedging(stream, chunk, i === 0 && overdue, tail ? hedgeShare : hedgeShareEarly)) break;
      stream.send.lose(chunk);
      chunk.lostMs = Infinity;
      this.#state.counters.bytesHedged += chunk.length;
      this.#state.ready(stream);
    }
  }

  /** Nothing waits to be sent for the first time: lines stand idle. */
  get #idle(): boolean {
    const { bulk, interactive, urgent } = this.#state;
    return bulk.length === 0 && interactive.length === 0 && urgent.length === 0;
  }

  /** Whether an idle line would have a chunk there clearly sooner than the one that carries it. */
  #overtakes(stream: Stream, chunk: Chunk): boolean {
    const state = this.#state;
    const own = state.paths.get(chunk.path);
    if (!own) return false;
    const expectedMs = chunk.dueMs - own.bareDelayMs - ackDelayMsMax - state.policy.overtakeMs;
    for (const path of state.paths.values()) {
      if (path === own || !path.usable || !path.answered || !stream.allows(path.id)) continue;
      if (stream.paths.length === 0 && state.spares(path)) continue;
      const sendMs = ((path.outstandingBytes(state.nowMs) + chunk.length) * 1_000) / path.rate();
      if (state.nowMs + path.delayMs + sendMs < expectedMs) return true;
    }
    return false;
  }

  /** What a chunk may be late beside, ms; more while nothing is held up for long. */
  #slackMs(chunk: Chunk, calm: boolean): number {
    const path = this.#state.paths.get(chunk.path);
    if (!path) return 0;
    // When a line that nobody has filled yet will be through with a chunk is a guess.
    if (calm && path.measuredRate === 0) return path.rttMs;
    // On a feeble line a chunk takes longer than elsewhere, and one more may stand before it: a probe.
    return 4 * Math.max(0, (chunk.length * 1_000) / path.rate() - slowChunkMs);
  }

  #worthHedging(stream: Stream, chunk: Chunk, blocks: boolean, share: number): boolean {
    const state = this.#state;
    if (chunk.sends >= copiesMax && !blocks) return false;
    if (!blocks && state.counters.bytesHedged > share * state.payloadBytes + 65_536) return false;
    const own = state.paths.get(chunk.path);
    for (const path of state.paths.values()) {
      if (path === own || !path.usable || !path.answered || !stream.allows(path.id)) continue;
      if (stream.paths.length === 0 && state.spares(path)) continue;
      const arrivesMs = path.delayMs + ((path.unsentBytes + chunk.length) * 1_000) / path.rate();
      if (blocks || arrivesMs < (own?.rttMs ?? Infinity) * 1.5) return true;
    }
    return false;
  }

  #judgeSession(): boolean {
    const state = this.#state;
    for (const path of state.paths.values()) {
      if (path.usable && path.answered) {
        state.lineSeenMs = state.nowMs;
        return true;
      }
    }
    const goneMs = state.nowMs - state.lineSeenMs;
    if (goneMs > streamWithoutLineMs && state.streams.size > 0) {
      for (const stream of state.streams.values()) {
        if (!stream.dead) state.local.reset(stream, ResetReason.timeout);
        state.reset(stream, ResetReason.timeout);
      }
    }
    return goneMs <= sessionWithoutStrandsMs;
  }
}
