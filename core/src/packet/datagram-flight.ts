/**
 * What a path has of datagrams on its way, and how fast they go, by the peer's reports: the part that TCP_INFO is for a
 * strand. Everything up to the highest number that came is no longer on its way: it came, or it is lost.
 *
 * A rate is what came between the sending of the highest packet and its arrival, over the longer of the times in which it
 * left and in which it came (Cheng et al., draft-cheng-iccrg-delivery-rate-estimation), by the receiver's own clock, so that
 * a report that waits on its way back is no slow line.
 */
import { tunnelHeaderBytes } from './datagram.ts';
import { PathMtu } from './path-mtu.ts';
import type { Report } from './report.ts';

/** Packets on their way that are known each: more is a peer that reports nothing. */
const logMax = 65_536;
const logFirst = 64;
const fields = 6;
const clockWrap = 0x1_0000_0000;
/** One way does not become longer by so much more than the way there and back, ms. */
const leapMsMin = 150;
/** A way longer by so much is a queue, ms. */
const startQueueMs = 10;
const startGain = 1.75;
/** A sender's first flight (RFC 9002 wishes for ten packets; some send more), bytes. */
const startBytesMin = 16 * 1_400;
/** So much leaves at once, bytes: what it waits for itself is no queue, up to so long, ms. */
const burstBytes = 4 * 1_500;
const burstMsMax = 100;
const unfilledMsMin = 100;
/** Such a share lost, and twice the usual one, holds the sender back for so long, ms and round trips. */
const spiltMin = 0.1;
const spiltMs = 1_000;
const spiltRtts = 4;
/** Share of a new sample in the smoothed round trip (RFC 6298), and in the share that is lost. */
const rttShare = 0.125;
const lossShare = 0.1;
/** A round trip counts as so much longer than those before at most, times and ms. */
const rttGrowthMax = 4;
const rttGrowthMs = 1_000;
const losingRatio = 0.25;
/** Losses are judged over so many packets at least. */
const lossPacketsMin = 20;

/** A path of which nothing is heard for so long, and so many round trips, after something was sent there, carries no datagrams. */
const silentMsMin = 1_000;
const silentRtts = 4;

/** A report waits so long for others, ms; longer ones tell no round trip, microseconds. */
const reportMs = 30;
const waitedUsMax = 40_000;
/** Nothing heard for so long of what left is late: the same as with strands, and the wait of a report, ms. */
const lateMsMin = 100;
const lateRtts = 1.25;

/** The shortest way and round trip count for so long, and for the next as well, ms. */
const wayWindowMs = 30_000;

/** Fields of a packet in the log. */
const Field = { sentMs: 0, bytesThen: 1, deliveredThen: 2, deliveredUs: 3, firstSentMs: 4, limited: 5 } as const;

export class DatagramFlight {
  /** Bulk leaves no faster than the line's pace, and so much waits for that. */
  paced = false;
  unsentBytes = 0;
  /** How large they may be. */
  readonly mtu: PathMtu = new PathMtu();
  /** Sent of each class, bytes. */
  readonly classBytes: Float64Array = new Float64Array(3);
  #log: Float64Array = new Float64Array(logFirst * fields);
  #next = 0;
  #highest = -1;
  #bytesSent = 0;
  #bytesLeft = 0;
  #delivered = 0;
  #deliveredUs = -1;
  #firstSentMs = 0;
  #packetsCame = 0;
  #packetsSeen = 0;
  #lostSeen = 0;
  #rttMs = 0;
  #minRttMs: number = Infinity;
  #minRttBeforeMs: number = Infinity;
  #minSinceMs: number = -Infinity;
  #varianceMs = 0;
  #rate = 0;
  /** Of the last round trip. */
  #cameBytes = 0;
  #rateLimited = true;
  #loss = 0;
  #wayMs = 0;
  #rttBeforeMs = 0;
  /** The shortest queue of this round trip, ms, and when that began; a burst makes none. */
  #queueMinMs: number = Infinity;
  #queueMinSinceMs: number = -Infinity;
  #standingMs = 0;
  /** When a queue stood last for a round trip, ms. */
  #queueSeenMs: number = -Infinity;
  #spiltMs: number = -Infinity;
  /** Datagrams below this number may have been too long for the line. */
  #holeUntil = 0;
  #wayMinMs: number = Infinity;
  #wayMinBeforeMs: number = Infinity;
  #waySinceMs = 0;
  #inFlightBefore = 0;
  #givenMs: number = -Infinity;
  #heardMs: number = -Infinity;
  #suspect = false;
  #carriedMs = -Infinity;
  /** When the first left of those that left since the peer was heard; -1: none did. */
  #askedMs = -1;

  /** The number the next datagram has. */
  get next(): number {
    return this.#next;
  }

  /** Known to have come, bytes: IP and UDP headers not counted. */
  get bytesAcked(): number {
    return this.#delivered;
  }

  get bytesInFlight(): number {
    return this.#bytesSent - this.#bytesLeft;
  }

  /**
   * The same as it should be now: reports come every so often, and meanwhile the line goes on carrying at the rate it was told last. To wait for
   * word of each would leave a line dry that has but a few packets on its way.
   */
  bytesStillInFlight(nowMs: number): number {
    const sinceMs = Math.min(nowMs - this.#heardMs, reportMs);
    return Math.max(0, this.bytesInFlight - (this.#rate * sinceMs) / 1_000);
  }

  /** A line whose rate is not known takes so much, while no queue shows: what came in the last round trip, and nearly as much again (slow start, RFC 5681), bytes. */
  startBytes(nowMs: number): number {
    const burstMs = this.#rate > 0 ? (burstBytes * 1_000) / this.#rate : 0;
    const queued = this.queueMs > Math.max(startQueueMs, Math.min(burstMs, burstMsMax));
    if (queued || this.spilt(nowMs)) return 0;
    return this.#delivered === 0 ? startBytesMin : startGain * this.#cameBytes;
  }

  /** More than usual was lost lately: the line may be full though its queue is too short to show. */
  spilt(nowMs: number): boolean {
    return nowMs - this.#spiltMs < spiltMs + spiltRtts * this.#rttMs;
  }

  /** All that might be on its way is, and yet no queue has shown for two round trips: the line carries more than is known. */
  unfilled(nowMs: number): boolean {
    return (
      !this.#rateLimited && nowMs - this.#queueSeenMs > Math.max(unfilledMsMin, 2 * this.#rttMs) && !this.spilt(nowMs)
    );
  }

  /** Sent so far, bytes. */
  get bytesGiven(): number {
    return this.#bytesSent;
  }

  /** What was on its way before the last report, bytes. */
  get inFlightBefore(): number {
    return this.#inFlightBefore;
  }

  /** Sent and no longer on its way: it came or is lost, bytes. */
  get bytesLeft(): number {
    return this.#bytesLeft;
  }

  get packetsInFlight(): number {
    return this.#next - 1 - this.#highest;
  }

  /** So many have come or are lost; and so many of them came. */
  get packetsSettled(): number {
    return this.#highest + 1;
  }

  get packetsCame(): number {
    return this.#packetsCame;
  }

  /** Smoothed, ms; 0: not measured. */
  get rttMs(): number {
    return this.#rttMs;
  }

  /** The shortest of the last half minute or minute, ms; 0: not measured. */
  get minRttMs(): number {
    const minMs = Math.min(this.#minRttMs, this.#minRttBeforeMs);
    return minMs === Infinity ? 0 : minMs;
  }

  /** Mean deviation of the round trip, ms. */
  get jitterMs(): number {
    return this.#varianceMs;
  }

  /** The newest rate, bytes per second; 0: none. */
  get deliveryRate(): number {
    return this.#rate;
  }

  /** That rate was limited by what there was to send. */
  get sourceLimited(): boolean {
    return this.#rateLimited;
  }

  /** More is lost than on the worst of lines that are not overfed. */
  get losing(): boolean {
    return this.#loss > losingRatio;
  }

  /** Share of packets lost lately, 0 to 1. */
  get lossRatio(): number {
    return this.#loss;
  }

  /** How much longer the way there is than it was at its shortest, ms: the queue. */
  get queueMs(): number {
    return this.#wayMinMs === Infinity ? 0 : this.#wayMs - Math.min(this.#wayMinMs, this.#wayMinBeforeMs);
  }

  /** The queue that stood through the last round trip, ms: a burst leaves none. */
  get standingQueueMs(): number {
    return this.#standingMs;
  }

  /** When one left last that asks for a report, ms. */
  get givenMs(): number {
    return this.#givenMs;
  }

  /** When a packet left last, ms. */
  get carriedMs(): number {
    return this.#carriedMs;
  }

  /** When the first left that the peer has not been heard since, ms; -1: none did. */
  get askedMs(): number {
    return this.#askedMs;
  }

  /** When the peer reported last, ms; -Infinity: never. */
  get heardMs(): number {
    return this.#heardMs;
  }

  /** When what left will be late, ms; Infinity where nothing did. */
  get lateMs(): number {
    return this.#askedMs < 0 ? Infinity : this.#askedMs + Math.max(lateMsMin, lateRtts * this.#rttMs + reportMs);
  }

  /** What left is late, while another path has been heard: nothing more goes there until it is heard again. */
  doubt(): void {
    this.#suspect = true;
  }

  /** Datagrams get there and are reported: not before the first report, and not where the peer has fallen silent. */
  answers(nowMs: number): boolean {
    const waitedMs = this.#askedMs < 0 ? 0 : nowMs - this.#askedMs;
    const silent = this.#suspect || waitedMs >= Math.max(silentMsMin, silentRtts * this.#rttMs);
    return this.#heardMs !== -Infinity && !silent;
  }

  /** Notes a datagram that leaves; `bytes` of it count, none of what is no packet. Returns its number. `limited`: there was nothing more to send; `asks`: the peer will report soon that it came. */
  give(bytes: number, limited: boolean, nowMs: number, asks = true): number {
    if (this.#next - this.#highest > logMax) this.#forget();
    if ((this.#next - this.#highest) * fields > this.#log.length) this.#grow();
    if (this.packetsInFlight === 0) {
      this.#firstSentMs = nowMs;
      this.#deliveredUs = -1;
    }
    const number = this.#next++;
    if (asks) {
      this.#givenMs = nowMs;
      if (this.#askedMs < 0) this.#askedMs = nowMs;
    }
    if (bytes > 0) this.#carriedMs = nowMs;
    this.#bytesSent += bytes;
    if (bytes > 0) this.mtu.sent(number, bytes - tunnelHeaderBytes, nowMs);
    const at = this.#at(number);
    this.#log[at + Field.sentMs] = nowMs;
    this.#log[at + Field.bytesThen] = this.#bytesSent;
    this.#log[at + Field.deliveredThen] = this.#delivered;
    this.#log[at + Field.deliveredUs] = this.#deliveredUs;
    this.#log[at + Field.firstSentMs] = this.#firstSentMs;
    this.#log[at + Field.limited] = limited ? 1 : 0;
    return number;
  }

  /** Takes the peer's word in. Returns false, and does nothing, where it cannot be true: more came than was sent. */
  take(report: Readonly<Report>, nowMs: number): boolean {
    if (report.highest >= this.#next || report.bytes > this.#bytesSent) return false;
    this.#heardMs = nowMs;
    this.#askedMs = -1;
    this.#suspect = false;
    const { shrinks } = this.mtu;
    this.mtu.take(report.highest, report.largest, this.#rttMs, nowMs);
    if (this.mtu.shrinks > shrinks) {
      // What was lost until now, and what is on its way, was too long for the line, which is no fuller for it.
      this.#spiltMs = -Infinity;
      this.#holeUntil = this.#next;
    }
    // A newer one has overtaken it.
    if (report.highest < this.#highest || report.bytes < this.#delivered) return true;
    this.#inFlightBefore = this.bytesInFlight;
    this.#packetsCame = report.packets;
    if (report.highest === this.#highest) {
      // Late ones came.
      this.#delivered = report.bytes;
      return true;
    }
    this.#takeNewest(report, nowMs);
    this.#takeLoss(report, nowMs);
    return true;
  }

  #takeNewest(report: Readonly<Report>, nowMs: number): void {
    const at = this.#at(report.highest);
    const field = (index: number): number => this.#log[at + index] ?? 0;
    const sentMs = field(Field.sentMs);
    const rttMs = nowMs - sentMs - report.waitedUs / 1_000;
    // Who says that it waited so long was away, or its clock has leapt meanwhile, as those of machines that slept do.
    const credible = rttMs > 0 && report.waitedUs < waitedUsMax;
    this.#takeWay(report.arrivedUs, sentMs, credible ? rttMs : this.#rttBeforeMs);
    if (credible) this.#takeRtt(rttMs, nowMs);
    this.#takeQueue(nowMs);
    const came = report.bytes - field(Field.deliveredThen);
    this.#cameBytes = came;
    const sendMs = sentMs - field(Field.firstSentMs);
    const before = field(Field.deliveredUs);
    const comeMs = before < 0 ? 0 : ((report.arrivedUs - before + clockWrap) % clockWrap) / 1_000;
    const overMs = Math.max(sendMs, comeMs);
    // A single flight with nothing known before it says nothing of a rate.
    if (before >= 0 && overMs > 0) {
      this.#rate = (came * 1_000) / overMs;
      this.#rateLimited = field(Field.limited) === 1;
    }
    this.#highest = report.highest;
    this.#bytesLeft = field(Field.bytesThen);
    this.#delivered = report.bytes;
    this.#deliveredUs = report.arrivedUs;
    this.#firstSentMs = sentMs;
  }

  #takeRtt(rttMs: number, nowMs: number): void {
    if (nowMs - this.#minSinceMs > wayWindowMs) {
      this.#minRttBeforeMs = this.#minRttMs;
      this.#minRttMs = rttMs;
      this.#minSinceMs = nowMs;
    }
    this.#minRttMs = Math.min(this.#minRttMs, rttMs);
    if (this.#rttMs === 0) {
      this.#rttMs = rttMs;
      this.#varianceMs = rttMs / 4;
      return;
    }
    // Where our own clock has leapt, all that is on its way seems to have been away so long.
    const apartMs = Math.min(rttMs, rttGrowthMax * this.#rttMs + rttGrowthMs) - this.#rttMs;
    this.#varianceMs += (Math.abs(apartMs) - this.#varianceMs) / 4;
    this.#rttMs += apartMs * rttShare;
  }

  #takeQueue(nowMs: number): void {
    this.#queueMinMs = Math.min(this.#queueMinMs, this.queueMs);
    if (nowMs - this.#queueMinSinceMs < this.#rttMs) return;
    if (this.#queueMinMs > startQueueMs) this.#queueSeenMs = nowMs;
    this.#standingMs = this.#queueMinMs;
    this.#queueMinMs = Infinity;
    this.#queueMinSinceMs = nowMs;
  }

  /** The clocks differ by anything, and drift apart: only changes of the difference count, and of half a minute or one. */
  #takeWay(arrivedUs: number, sentMs: number, rttMs: number): void {
    const wrapMs = clockWrap / 1_000;
    const apartMs = arrivedUs / 1_000 - sentMs;
    const first = this.#wayMinMs === Infinity;
    // The receiver's clock wraps every 71 minutes: the value next to the one before is meant.
    const beforeMs = this.#wayMs;
    this.#wayMs = first ? apartMs : apartMs + Math.round((beforeMs - apartMs) / wrapMs) * wrapMs;
    // What the round trip knows nothing of is no longer way, but a clock that has leapt.
    const leapMs = Math.abs(this.#wayMs - beforeMs - (rttMs - this.#rttBeforeMs));
    this.#rttBeforeMs = rttMs;
    if (first) this.#waySinceMs = sentMs;
    else if (leapMs > leapMsMin) {
      this.#wayMinBeforeMs = Infinity;
      this.#wayMinMs = this.#wayMs;
      this.#waySinceMs = sentMs;
    } else if (sentMs - this.#waySinceMs > wayWindowMs) {
      this.#wayMinBeforeMs = this.#wayMinMs;
      this.#wayMinMs = this.#wayMs;
      this.#waySinceMs = sentMs;
    }
    this.#wayMinMs = Math.min(this.#wayMinMs, this.#wayMs);
  }

  #takeLoss(report: Readonly<Report>, nowMs: number): void {
    const packets = report.highest + 1;
    const sent = packets - this.#packetsSeen;
    const hole = report.highest < this.#holeUntil;
    if (sent < lossPacketsMin && !hole) return;
    const lost = hole ? 0 : Math.max(0, packets - report.packets - this.#lostSeen);
    if (lost > spiltMin * sent && lost > 2 * this.#loss * sent) this.#spiltMs = nowMs;
    if (!hole) this.#loss += (Math.min(1, lost / sent) - this.#loss) * lossShare;
    this.#packetsSeen = packets;
    this.#lostSeen = packets - report.packets;
  }

  #at(number: number): number {
    return (number * fields) % this.#log.length;
  }

  /** Nobody reports: the oldest is lost. */
  #forget(): void {
    this.#highest++;
    this.#bytesLeft = this.#log[this.#at(this.#highest) + Field.bytesThen] ?? 0;
  }

  #grow(): void {
    const grown = new Float64Array(this.#log.length * 2);
    for (let number = this.#highest + 1; number < this.#next; number++) {
      const from = this.#at(number);
      grown.set(this.#log.subarray(from, from + fields), (number * fields) % grown.length);
    }
    this.#log = grown;
  }
}
