import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { closeFd } from '../src/descriptors.ts';
import { EDGE, HANGUP, READ_HANGUP, READABLE, WRITABLE } from '../src/epoll.ts';
import { EventLoop } from '../src/loop.ts';
import { closeWithReset, shutdownWrite } from '../src/socket.ts';
import type { Timer } from '../src/timers.ts';
import { clearWake, openWake, wake } from '../src/wake.ts';
import { connected, say } from './connection.ts';

let loop: EventLoop;
let opened: number[] = [];

beforeEach(() => {
  loop = new EventLoop();
  opened = [];
});
afterEach(() => {
  for (const fd of opened) closeFd(fd);
  loop.stop();
  loop.run();
});

function opening(): number {
  const fd = openWake();
  opened.push(fd);
  return fd;
}

describe('descriptors', () => {
  test('a handler hears the events it asked for, until it is removed', () => {
    const fd = opening();
    const heard: number[] = [];
    loop.add(fd, READABLE, (events) => heard.push(events));
    expect(loop.turn(0)).toBe(0);
    wake(fd);
    loop.turn(0);
    loop.turn(0);
    expect(heard).toEqual([READABLE, READABLE]);
    clearWake(fd);
    loop.modify(fd, WRITABLE);
    loop.turn(0);
    expect(heard).toEqual([READABLE, READABLE, WRITABLE]);
    loop.remove(fd);
    loop.remove(fd);
    expect(loop.turn(0)).toBe(0);
  });

  test('edge: once for every change', () => {
    const fd = opening();
    let heard = 0;
    loop.add(fd, READABLE | EDGE, () => heard++);
    wake(fd);
    loop.turn(0);
    loop.turn(0);
    expect(heard).toBe(1);
    wake(fd);
    loop.turn(0);
    expect(heard).toBe(2);
  });

  test('adding twice, and changing what is not there, is refused', () => {
    const fd = opening();
    loop.add(fd, READABLE, () => {});
    expect(() => loop.add(fd, READABLE, () => {})).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    loop.remove(fd);
    expect(() => loop.modify(fd, READABLE)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('an event of a removed descriptor in the batch at work is dropped', () => {
    const a = opening();
    const b = opening();
    const heard: string[] = [];
    for (const [fd, other, name] of [
      [a, b, 'a'],
      [b, a, 'b'],
    ] as const) {
      loop.add(fd, READABLE, () => {
        heard.push(name);
        loop.remove(other);
      });
      wake(fd);
    }
    loop.turn(0);
    expect(heard.length).toBe(1);
  });

  test('a number closed and reused within a batch does not get the event of its former owner', () => {
    const a = opening();
    const b = openWake();
    const heard: string[] = [];
    loop.add(a, READABLE, () => {
      heard.push('a');
      loop.remove(b);
      closeFd(b);
      const again = opening();
      expect(again).toBe(b);
      loop.add(again, READABLE, () => heard.push('successor'));
    });
    loop.add(b, READABLE, () => heard.push('b'));
    wake(a);
    wake(b);
    loop.turn(0);
    expect(heard).toEqual(['a']);
    clearWake(a);
    wake(b);
    loop.turn(0);
    expect(heard).toEqual(['a', 'successor']);
  });

  test('a connection: readable, half closed, hung up', async () => {
    const { near, far } = await connected();
    let heard = 0;
    loop.add(far, READABLE | READ_HANGUP, (events) => {
      heard = events;
    });
    say(near, 'x');
    loop.turn(500);
    expect(heard).toBe(READABLE);
    shutdownWrite(near);
    loop.turn(500);
    expect(heard & READ_HANGUP).toBe(READ_HANGUP);
    closeWithReset(near);
    loop.turn(500);
    expect(heard & HANGUP).toBe(HANGUP);
    loop.remove(far);
    closeFd(far);
  });
});

describe('time', () => {
  test('a timer never fires before its moment', () => {
    const early: number[] = [];
    let dueMs = 0;
    const timer: Timer = loop.timer(() => {
      if (loop.nowMs < dueMs) early.push(dueMs - loop.nowMs);
      fired++;
    });
    let fired = 0;
    for (const delayMs of [0, 0.1, 0.7, 1.3, 3.9]) {
      dueMs = loop.refreshNow() + delayMs;
      timer.at(dueMs);
      while (timer.armed) loop.turn(500);
    }
    expect(fired).toBe(5);
    expect(early).toEqual([]);
  });

  test('the clock goes on and stands still within a turn', () => {
    const before = loop.nowMs;
    expect(loop.nowMs).toBe(before);
    loop.turn(1);
    expect(loop.nowMs).toBeGreaterThan(before);
    expect(loop.refreshNow()).toBeGreaterThanOrEqual(before);
  });
});

describe('a turn', () => {
  test('events, then timers, then hooks in their order', () => {
    const fd = opening();
    const order: string[] = [];
    loop.afterBatch(() => order.push('first hook'));
    loop.afterBatch(() => order.push('second hook'));
    loop.timer(() => order.push('timer')).at(0);
    loop.add(fd, READABLE, () => order.push('event'));
    wake(fd);
    expect(loop.turn(0)).toBe(2);
    expect(order).toEqual(['event', 'timer', 'first hook', 'second hook']);
  });

  test('runs until told to stop, without waiting for an event when work is left', () => {
    let turns = 0;
    loop.afterBatch(() => {
      turns++;
      if (turns < 1000) loop.again();
      else loop.stop();
    });
    loop.again();
    loop.run();
    expect(turns).toBe(1000);
    loop = new EventLoop();
  });

  test('an exception of a handler reaches the caller, and the rest of the loop still works', () => {
    const fd = opening();
    loop.add(fd, READABLE, () => {
      throw new RangeError('mine');
    });
    wake(fd);
    expect(() => loop.turn(0)).toThrow(RangeError);
    loop.remove(fd);
    expect(loop.turn(0)).toBe(0);
  });
});
