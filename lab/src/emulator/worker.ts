import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';

import { Prng } from '@tresse/kit';
import { type EventLoop, FAILED, monotonicMs, nativeSlab, READABLE, readInto, runWorker, writeFrom } from '@tresse/sys';

import { Direction, type FramePort } from './direction.ts';
import type { Answer, Command, DirectionName, WorkerData, WorkerLine } from './messages.ts';

/**
 * In traffic the thread looks every so often for frames that came or fell due, and moves them in one go. Every sleep and wake-up costs about
 * as much as moving ten frames, so one for every frame would cost more than the frames. Half of this is added to a frame's delay, on average.
 */
const tickMs = 0.4;
/** Frames moved in two turns that close together are traffic; a frame on its own, like a ping, waits for nothing. */
const trafficGapMs = 0.5;
/** Traffic is over after so long without frames. */
const trafficEndMs = 2;

type Line = Readonly<Record<DirectionName, Direction>>;

runWorker<Command, Answer, WorkerData>((context) => {
  const { data, loop } = context;
  const lines = data.lines.map((line, i) => makeLine(line, data.seed * 1_000 + i));
  moveFrames(
    loop,
    lines.flatMap(({ down, up }) => [down, up]),
    data.lines.flatMap(({ operatorFd, boxFd }) => [operatorFd, boxFd]),
  );
  context.onMessage((command) => {
    obey(lines, command);
    const answer = { id: command.id, atMs: monotonicMs() };
    context.post(command.act === 'counters' ? { ...answer, counters: lines.map(countersOf) } : answer);
  });
  context.post({ id: 0, atMs: monotonicMs(), thread: Number(basename(readlinkSync('/proc/thread-self'))) });
});

function makeLine({ boxFd, operatorFd, down, up }: WorkerLine, seed: number): Line {
  const box = portOf(boxFd);
  const operator = portOf(operatorFd);
  const host = { clock: monotonicMs, makeSlab: nativeSlab };
  return {
    down: new Direction(down, new Prng(seed * 2), { source: operator, sink: box, way: 'down' }, host),
    up: new Direction(up, new Prng(seed * 2 + 1), { source: box, sink: operator, way: 'up' }, host),
  };
}

function portOf(fd: number): FramePort {
  return {
    read: (address, length) => readInto(fd, address, length),
    write: (address, length) => writeFrom(fd, address, length),
  };
}

/** `sources` are the descriptors the directions read, in their order. */
function moveFrames(loop: EventLoop, directions: readonly Direction[], sources: readonly number[]): void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  let moved = 0;
  let movedAtMs = -Infinity;
  let trafficUntilMs = -Infinity;
  const due = loop.timer(() => {});
  directions.forEach((direction, i) => {
    const source = sources[i] ?? -1;
    loop.add(source, READABLE, (events) => {
      moved += direction.receive();
      // The interface was removed with its namespace; it would report that for ever.
      if (events & FAILED) loop.remove(source);
    });
  });
  loop.afterBatch(() => {
    let nextMs = Infinity;
    for (let i = 0; i < directions.length; i++) {
      const direction = directions[i];
      if (!direction) continue;
      moved += direction.deliver();
      nextMs = Math.min(nextMs, direction.link.nextAtMs);
    }
    if (moved > 0) {
      moved = 0;
      if (loop.nowMs - movedAtMs < trafficGapMs) trafficUntilMs = loop.nowMs + trafficEndMs;
      movedAtMs = loop.nowMs;
    }
    if (loop.nowMs < trafficUntilMs) {
      const restMs = loop.nowMs + tickMs - monotonicMs();
      if (restMs > 0) Atomics.wait(never, 0, 0, restMs);
      loop.again();
    } else if (nextMs < Infinity) due.at(nextMs);
    else due.cancel();
  });
}

function obey(lines: readonly Line[], command: Command): void {
  if (command.act === 'counters') return;
  const line = lines[command.line];
  if (!line) return;
  if (command.act === 'set') line[command.direction].set(command.change);
  else if (command.act === 'police') {
    line.down.police(command.policy);
    line.up.police(command.policy);
  } else {
    line.down[command.act]();
    line.up[command.act]();
  }
}

function countersOf(line: Line): NonNullable<Answer['counters']>[number] {
  return { down: line.down.counters(), up: line.up.counters() };
}
