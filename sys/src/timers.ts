/** A moment at which a callback runs, set again and again; made by {@link TimerTable.timer} or `EventLoop.timer`. */
export class Timer {
  readonly #table: TimerTable;
  readonly callback: () => void;
  /** Milliseconds of the loop's clock; meaningless while idle. */
  atMs = 0;
  /** Place in the table's heap; -1 while idle. Only the table writes it. */
  place = -1;

  constructor(table: TimerTable, callback: () => void) {
    this.#table = table;
    this.callback = callback;
  }

  get armed(): boolean {
    return this.place >= 0;
  }

  /** Runs the callback once when the clock reaches `atMs`; replaces an earlier setting. In the past: in the next turn. */
  at(atMs: number): void {
    this.#table.set(this, atMs);
  }

  /** Nothing happens when it is not set. */
  cancel(): void {
    this.#table.remove(this);
  }
}

/** All timers of a loop: a binary heap by time. Setting and firing allocate nothing. */
export class TimerTable {
  readonly #heap: Timer[] = [];

  timer(callback: () => void): Timer {
    return new Timer(this, callback);
  }

  /** When the next timer is due; Infinity when none is set. */
  get nextMs(): number {
    return this.#heap[0]?.atMs ?? Infinity;
  }

  get size(): number {
    return this.#heap.length;
  }

  set(timer: Timer, atMs: number): void {
    timer.atMs = atMs;
    if (timer.place < 0) {
      timer.place = this.#heap.length;
      this.#heap.push(timer);
    }
    this.#settle(timer);
  }

  remove(timer: Timer): void {
    const place = timer.place;
    if (place < 0) return;
    const last = this.#heap.pop();
    timer.place = -1;
    if (!last || last === timer) return;
    last.place = place;
    this.#heap[place] = last;
    this.#settle(last);
  }

  /**
   * Runs what is due, earliest first. What a callback sets for now or the past runs in the next call, so one call always ends.
   * Returns how many ran.
   */
  fire(nowMs: number): number {
    let fired = 0;
    // A timer that sets itself again must not run twice in one call: no more than were there at the start can run.
    for (let left = this.#heap.length; left > 0; left--) {
      const timer = this.#heap[0];
      if (!timer || timer.atMs > nowMs) break;
      this.remove(timer);
      fired++;
      timer.callback();
    }
    return fired;
  }

  #settle(timer: Timer): void {
    const heap = this.#heap;
    let place = timer.place;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (!parent || parent.atMs <= timer.atMs) break;
      heap[place] = parent;
      parent.place = place;
      place = above;
    }
    for (;;) {
      let below = 2 * place + 1;
      let child = heap[below];
      const right = heap[below + 1];
      if (child && right && right.atMs < child.atMs) {
        below++;
        child = right;
      }
      if (!child || child.atMs >= timer.atMs) break;
      heap[place] = child;
      child.place = place;
      place = below;
    }
    heap[place] = timer;
    timer.place = place;
  }
}
