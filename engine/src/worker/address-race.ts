/**
 * Which of the relay's addresses each line dials. Several would share the line and count its rate more than once, so one
 * carries; the others are tried beside it, one after the other, while it does not answer (as in RFC 8305), and the first that
 * answers is the one.
 */
import type { BoxPath } from '../api.ts';

/** With the worker's look every 100 ms the next address is tried within a quarter of a second. */
const staggerMs = 150;

interface Line {
  /** Paths of this line, the one to begin with first. */
  order: number[];
  /** Since when none of them answers, ms. */
  troubleSinceMs: number;
  /** How many of `order` are dialled. */
  dialled: number;
}

export class AddressRace {
  readonly #lines = new Map<string, Line>();

  /** The paths there are now. A line whose paths are others begins anew. */
  setPaths(paths: Iterable<BoxPath>, nowMs: number): void {
    const orders = new Map<string, number[]>();
    for (const { uplink, path } of paths) orders.set(uplink, [...(orders.get(uplink) ?? []), path]);
    for (const uplink of this.#lines.keys()) if (!orders.has(uplink)) this.#lines.delete(uplink);
    for (const [uplink, order] of orders) {
      const line = this.#lines.get(uplink);
      const kept = line?.order.filter((path) => order.includes(path)) ?? [];
      if (line && kept.length === order.length && kept.length === line.order.length) continue;
      // What is there stays in front: one more address is no reason to leave one that works.
      const next = [...kept, ...order.filter((path) => !kept.includes(path))];
      this.#lines.set(uplink, { order: next, troubleSinceMs: nowMs, dialled: 1 });
    }
  }

  /** A new session: nobody answers yet. Each line begins with the address that carried last. */
  begin(nowMs: number): void {
    for (const line of this.#lines.values()) {
      line.troubleSinceMs = nowMs;
      line.dialled = 1;
    }
  }

  /** Whether a path is to be dialled. */
  wants(path: number): boolean {
    for (const { order, dialled } of this.#lines.values()) {
      const at = order.indexOf(path);
      if (at >= 0) return at < dialled;
    }
    return true;
  }

  /** Looks at who answers. Returns the paths for which {@link wants} may say something else now. */
  update(answers: (path: number) => boolean, nowMs: number): number[] {
    const changed: number[] = [];
    for (const line of this.#lines.values()) {
      if (line.order.length < 2) continue;
      const winner = line.order.find((path) => answers(path));
      const { order, dialled } = line;
      if (winner === undefined) {
        if (line.troubleSinceMs < 0) line.troubleSinceMs = nowMs;
        line.dialled = Math.min(order.length, 1 + Math.floor((nowMs - line.troubleSinceMs) / staggerMs));
      } else {
        line.troubleSinceMs = -1;
        line.dialled = 1;
        line.order = [winner, ...order.filter((path) => path !== winner)];
      }
      if (line.dialled !== dialled || line.order[0] !== order[0]) changed.push(...line.order);
    }
    return changed;
  }
}
