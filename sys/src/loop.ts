import { monotonicMs } from './clock.ts';
import { closeFd } from './descriptors.ts';
import { Epoll } from './epoll.ts';
import { type Timer, TimerTable } from './timers.ts';

/** Longest wait: a turn of JavaScript this often lets `terminate` and `process.exit` get hold of the thread. */
const waitMaxMs = 500;

/** Called with the event bits (READABLE, WRITABLE, FAILED, ...) of a descriptor. */
export type DescriptorHandler = (events: number) => void;

/**
 * Run-to-completion loop of a thread that owns its sockets: one epoll, one table of timers, nothing allocated per event.
 * A turn is: wait, read the clock, descriptors' handlers, due timers, hooks after the batch. While {@link run} is in progress the thread's
 * promises, Node timers and streams stand still: everything here is handlers.
 *
 * A handler's exception ends {@link run} and goes to its caller.
 */
export class EventLoop {
  readonly #epoll: Epoll = new Epoll();
  readonly #timers: TimerTable = new TimerTable();
  /** By descriptor number. */
  readonly #handlers: (DescriptorHandler | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #hooks: (() => void)[] = [];
  #generation = 0;
  #stopped = false;
  #again = false;
  #nowMs: number = monotonicMs();

  /** CLOCK_MONOTONIC in milliseconds, read once per turn after the wait. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Reads the clock anew, for a handler that worked long. Returns {@link nowMs}. */
  refreshNow(): number {
    this.#nowMs = monotonicMs();
    return this.#nowMs;
  }

  /**
   * Watches a descriptor. Its number may have been in use before: events of the former one never reach this handler.
   * Throws ErrnoError when the kernel refuses (EEXIST: it is already watched).
   */
  add(fd: number, events: number, handler: DescriptorHandler): void {
    this.#generation = (this.#generation + 1) >>> 0;
    this.#epoll.add(fd, events, this.#generation);
    this.#handlers[fd] = handler;
    this.#generations[fd] = this.#generation;
  }

  /** Changes what is asked for. Throws ErrnoError when the descriptor is not watched (ENOENT). */
  modify(fd: number, events: number): void {
    this.#epoll.modify(fd, events, this.#generations[fd] ?? 0);
  }

  /** Forgets a descriptor: no event of it arrives any more, not even one of the batch at work. Call it before `closeFd`. */
  remove(fd: number): void {
    if (!this.#handlers[fd]) return;
    this.#handlers[fd] = undefined;
    this.#epoll.remove(fd);
  }

  /** A timer that is not set yet. Callbacks run after the descriptors of the turn. */
  timer(callback: () => void): Timer {
    return this.#timers.timer(callback);
  }

  /** Runs after every turn's events and timers, in the order given. */
  afterBatch(hook: () => void): void {
    this.#hooks.push(hook);
  }

  /** The next turn does not wait: for work that was cut into pieces. */
  again(): void {
    this.#again = true;
  }

  /** Turns until {@link stop}; then closes the epoll descriptor, and the loop is at its end. */
  run(): void {
    try {
      while (!this.#stopped) this.turn(waitMaxMs);
    } finally {
      closeFd(this.#epoll.fd);
    }
  }

  /** Ends {@link run} after the present turn. */
  stop(): void {
    this.#stopped = true;
  }

  /** One turn, which waits at most `waitMs`. Returns the number of events and timers handled. */
  turn(waitMs: number): number {
    const count = this.#epoll.wait(this.#waitMs(waitMs));
    this.#nowMs = monotonicMs();
    for (let i = 0; i < count; i++) {
      const fd = this.#epoll.fdOf(i);
      if (this.#generations[fd] !== this.#epoll.generationOf(i)) continue;
      this.#handlers[fd]?.(this.#epoll.eventsOf(i));
    }
    const fired = this.#timers.fire(this.#nowMs);
    // By index: a hook may add a hook.
    for (let i = 0; i < this.#hooks.length; i++) this.#hooks[i]?.();
    return count + fired;
  }

  #waitMs(maxMs: number): number {
    if (this.#again || this.#stopped) {
      this.#again = false;
      return 0;
    }
    const nextMs = this.#timers.nextMs;
    if (nextMs === Infinity) return maxMs;
    return Math.min(maxMs, Math.max(0, nextMs - monotonicMs()));
  }
}
