import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Timer, TimerTable } from '../src/timers.ts';

describe('timer table', () => {
  test('fires what is due, earliest first, once', () => {
    const table = new TimerTable();
    const fired: string[] = [];
    table.timer(() => fired.push('b')).at(20);
    table.timer(() => fired.push('a')).at(10);
    table.timer(() => fired.push('c')).at(30);
    expect(table.nextMs).toBe(10);
    expect(table.fire(9.9)).toBe(0);
    expect(table.fire(20)).toBe(2);
    expect(fired).toEqual(['a', 'b']);
    expect(table.fire(20)).toBe(0);
    expect(table.nextMs).toBe(30);
  });

  test('a later setting replaces an earlier one, and a cancelled timer stays silent', () => {
    const table = new TimerTable();
    let fired = 0;
    const timer = table.timer(() => fired++);
    timer.at(10);
    timer.at(50);
    expect(table.size).toBe(1);
    table.fire(49);
    expect(fired).toBe(0);
    timer.cancel();
    timer.cancel();
    table.fire(100);
    expect(fired).toBe(0);
    expect(timer.armed).toBe(false);
    expect(table.nextMs).toBe(Infinity);
  });

  test('timers that set themselves to the past do not hold the loop', () => {
    const table = new TimerTable();
    let fired = 0;
    const timer: Timer = table.timer(() => {
      fired++;
      timer.at(0);
    });
    timer.at(0);
    table.fire(1);
    expect(fired).toBe(1);
    expect(timer.armed).toBe(true);
  });

  test('a callback may cancel another timer that is due', () => {
    const table = new TimerTable();
    const fired: string[] = [];
    const second = table.timer(() => fired.push('second'));
    table
      .timer(() => {
        fired.push('first');
        second.cancel();
      })
      .at(1);
    second.at(2);
    table.fire(3);
    expect(fired).toEqual(['first']);
  });

  test('behaves like a sorted list under any sequence of settings', () => {
    const step = fc.record({
      timer: fc.nat(9),
      atMs: fc.integer({ min: 0, max: 100 }),
      kind: fc.constantFrom('at', 'cancel', 'fire'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const table = new TimerTable();
        const fired: number[] = [];
        const timers = Array.from({ length: 10 }, (_, i) => table.timer(() => fired.push(i)));
        const model = new Map<number, number>();
        for (const { timer, atMs, kind } of steps) {
          if (kind === 'at') {
            timers[timer]!.at(atMs);
            model.set(timer, atMs);
          } else if (kind === 'cancel') {
            timers[timer]!.cancel();
            model.delete(timer);
          } else {
            fired.length = 0;
            table.fire(atMs);
            const due = [...model].filter(([, at]) => at <= atMs);
            expect(new Set(fired)).toEqual(new Set(due.map(([i]) => i)));
            const times = fired.map((i) => model.get(i)!);
            expect(times).toEqual(times.toSorted((a, b) => a - b));
            for (const [i] of due) model.delete(i);
          }
          expect(table.size).toBe(model.size);
          expect(table.nextMs).toBe(Math.min(Infinity, ...model.values()));
        }
      }),
    );
  });
});
