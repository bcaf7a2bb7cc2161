import type { SlabPool } from '@tresse/kit';

import { creditFloorBytes } from '../limits.ts';
import type { Taker } from '../scheduling/round-robin.ts';
import { ResetReason, type StreamClass, type Target } from '../wire/frame.ts';
import { Burst } from './burst.ts';
import { Control, type ControlKind } from './chunk.ts';
import { type CreditBudget, CreditWindow } from './credit.ts';
import { ReceiveBuffer } from './receive-buffer.ts';
import { SendBuffer } from './send-buffer.ts';

/**
 * One TCP flow of a LAN host. The sending half ends by FIN, the receiving half by the peer's FIN, both at once by RESET
 * from either side; nothing else ends a stream.
 */
export class Stream implements Taker {
  readonly id: number;
  readonly klass: StreamClass;
  readonly target: Target;
  /** Paths the stream may use, most wanted first; empty: any. */
  readonly paths: readonly number[];
  readonly send: SendBuffer;
  readonly receive: ReceiveBuffer;
  readonly credit: CreditWindow;
  readonly controls: Partial<Record<ControlKind, Control>> = {};

  /** Which host of the LAN it belongs to: hosts take turns. 0: not told. */
  host = 0;
  /** Whom its connection is to speak for, where that is told: the client of a published port. */
  client: Target | undefined = undefined;
  /** What it has sent, and received, at a stretch. */
  readonly gives: Burst = new Burst();
  readonly takes: Burst = new Burst();
  /** See {@link Taker}. */
  leftBytes = 0;
  /** The engine's own: which local socket this is. */
  local = -1;
  /** Opened by us: an OPEN precedes the first frame on each strand until one is acknowledged. */
  readonly opener: boolean;
  openAcked = false;
  /** The local peer is there: at once where it opened the stream, else when the egress connection stands. */
  connected: boolean;
  readonly openCarriedBy: number[] = [];

  /** Offset up to which the peer lets us send. */
  creditLimit: number;
  /** The local peer has ended its direction: final offset, else -1. */
  sendEnd = -1;
  /** The peer's final offset, else -1. */
  receiveEnd = -1;
  /** The local peer has been told of the end. */
  endDelivered = false;
  /** Set by whoever ends it: nothing is sent or delivered any more. */
  dead = false;
  resetReason: ResetReason = ResetReason.none;
  /** Local reading is stopped: the send budget is full. */
  localPaused = false;
  /** The local peer had nothing more to read at the last try: what is buffered is all there is. */
  localDry = true;
  /** Stands in the session's ready queue. */
  queued = false;
  /** Its places in the session's rosters. */
  outstandingPlace = -1;
  unrestedPlace = -1;
  unackedPlace = -1;
  /** While the local peer has not acknowledged all: when it is looked at again, and how long after the last time, ms. */
  ackLookMs = 0;
  ackLookGapMs = 0;
  /** Offset up to which it had, at the last look. */
  ackedLocally = 0;
  lastActiveMs: number;
  /** When the oldest unacknowledged byte last moved. */
  progressMs: number;

  constructor(
    id: number,
    klass: StreamClass,
    target: Target,
    paths: readonly number[],
    opener: boolean,
    pool: SlabPool,
    budget: CreditBudget,
    nowMs: number,
    floorBytes: number = creditFloorBytes,
  ) {
    this.id = id;
    this.klass = klass;
    this.target = target;
    this.paths = paths;
    this.opener = opener;
    this.connected = opener;
    this.send = new SendBuffer(pool);
    this.receive = new ReceiveBuffer(pool);
    this.credit = new CreditWindow(budget, nowMs, floorBytes);
    this.creditLimit = floorBytes;
    this.lastActiveMs = nowMs;
    this.progressMs = nowMs;
  }

  control(kind: ControlKind): Control {
    return (this.controls[kind] ??= new Control(kind, this));
  }

  /** Bytes that may be cut into chunks now. */
  get sendableBytes(): number {
    return Math.min(this.send.end, this.creditLimit) - this.send.next;
  }

  /** Everything given was acknowledged, the FIN too. */
  get sendDone(): boolean {
    return this.sendEnd >= 0 && this.send.base === this.sendEnd && this.controls.fin?.acked === true;
  }

  get receiveDone(): boolean {
    return this.endDelivered;
  }

  allows(path: number): boolean {
    return this.paths.length === 0 || this.paths.includes(path);
  }

  release(): void {
    this.dead = true;
    this.send.release();
    this.receive.release();
    this.credit.release();
  }
}
