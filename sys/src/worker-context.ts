import { isMainThread, parentPort, receiveMessageOnPort, type Transferable, workerData } from 'node:worker_threads';

import { BugError } from '@tresse/kit';

import { disownFd, noteDescriptorsIn } from './descriptors.ts';
import { READABLE } from './epoll.ts';
import { native } from './ffi.ts';
import { EventLoop } from './loop.ts';
import { clearWake, wake } from './wake.ts';
import type { WorkerPlumbing } from './worker-plumbing.ts';

/** Messages taken in one turn of the loop. */
const messagesMax = 256;
const PR_SET_TIMERSLACK = 29;

const prctl: (option: number, a: number, b: number, c: number, d: number) => number = native(
  'int prctl(int, uintptr_t, uintptr_t, uintptr_t, uintptr_t)',
);

/** What a worker's code works with. */
export interface WorkerContext<In, Out, Data> {
  /** What the host was given for its workers. */
  readonly data: Data;
  readonly loop: EventLoop;
  /** Sends to the main thread, in order. */
  readonly post: (message: Out, transfer?: Transferable[]) => void;
  /** Sets the one handler of the host's messages, in order, inside the loop. */
  readonly onMessage: (handler: (message: In) => void) => void;
  /** Runs when the host asked for the end, before the worker ends: say goodbye to peers here, briefly. */
  readonly onStop: (handler: () => void) => void;
  /**
   * Gives a descriptor of this worker to the main thread by a message that names it: it leaves the loop and the bitmap first, and
   * this worker must never use the number again.
   */
  readonly handOver: (fd: number, message: Out) => void;
}

/**
 * The body of a worker file: calls `start`, which adds handlers to the loop, and runs the loop until the host says stop.
 * Blocks, so it is the file's last statement. An exception from `start` or a handler ends the worker and reaches the host as a fault
 * with its stack. Throws BugError outside a worker of `WorkerHost`.
 */
export function runWorker<In, Out, Data>(start: (context: WorkerContext<In, Out, Data>) => void): void {
  const port = parentPort;
  if (isMainThread || !port) throw new BugError('NOT_A_WORKER', 'runWorker is called in a worker begun by WorkerHost');
  const plumbing = workerData as WorkerPlumbing<Data>;
  noteDescriptorsIn(plumbing.descriptors);
  // The kernel rounds waits up by 50 us unless told otherwise; 1 us here, for this thread only.
  prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
  const loop = new EventLoop();
  let onMessage: ((message: In) => void) | undefined;
  let onStop: (() => void) | undefined;
  loop.add(plumbing.wakeFd, READABLE, () => {
    clearWake(plumbing.wakeFd);
    if (Atomics.load(plumbing.control, 0) !== 0) {
      loop.stop();
      return;
    }
    for (let i = 0; i < messagesMax; i++) {
      const received = receiveMessageOnPort(port);
      if (!received) return;
      onMessage?.(received.message as In);
    }
    wake(plumbing.wakeFd);
  });
  start({
    data: plumbing.data,
    loop,
    post: (message, transfer) => port.postMessage(message, transfer ?? []),
    onMessage: (handler) => {
      onMessage = handler;
    },
    onStop: (handler) => {
      onStop = handler;
    },
    handOver: (fd, message) => {
      loop.remove(fd);
      disownFd(fd);
      port.postMessage(message);
    },
  });
  // Messages posted before the handlers stood have raised the descriptor already; nothing is lost.
  loop.run();
  onStop?.();
  port.close();
}
