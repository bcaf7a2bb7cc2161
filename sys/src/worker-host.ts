import { Worker, type Transferable } from 'node:worker_threads';

import { closeDescriptorsOf, closeFd, descriptorBitmap, giveFd } from './descriptors.ts';
import { RestartPolicy } from './restart-policy.ts';
import { openWake, wake } from './wake.ts';
import type { WorkerPlumbing } from './worker-plumbing.ts';

/** How long a worker may take to end by itself, and then by `terminate`: together under a second. */
const politeMs = 700;
const forcedMs = 250;
/**
 * Of a worker's heap, what is younger than two collections. V8 would let it grow to 96 MiB, most of it garbage that waits: what
 * a data plane allocates lives for a round trip or as long as a stream.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 24 };

/** A worker died though nobody asked it to. */
export interface WorkerFault {
  /** What was thrown, with its stack where there is one. */
  readonly stack: string;
  /** Faults of this host since it was made, this one included. */
  readonly count: number;
  /** Descriptors the dead worker left, now closed. */
  readonly closedDescriptors: number;
  /** When the next worker begins; undefined: never, for the host is stopping, or gave up after ten faults in a minute. */
  readonly restartInMs: number | undefined;
}

/** What the host's owner hears. */
export interface WorkerHostEvents<Out> {
  onMessage(message: Out): void;
  /** After the dead worker's descriptors were closed and before the next worker begins. What was posted to the dead one is lost. */
  onFault(fault: WorkerFault): void;
}

/**
 * The main thread's end of a data-plane worker (its other end is `runWorker`): starts it, wakes its loop for messages, closes the descriptors of one that
 * died and begins another, with growing pauses, and ends it within a second.
 */
export class WorkerHost<In, Out, Data> {
  readonly #url: URL;
  readonly #events: WorkerHostEvents<Out>;
  readonly #plumbing: WorkerPlumbing<Data>;
  readonly #policy = new RestartPolicy();
  readonly #wakeForExit = (): void => this.#askToStop();
  #worker: Worker | undefined;
  #restart: NodeJS.Timeout | undefined;
  #faultCount = 0;
  #stopping: Promise<void> | undefined;
  #onGone: (() => void) | undefined;

  /** Starts the first worker: `url` names its file, `data` must be cloneable. Throws ErrnoError (EMFILE). */
  constructor(url: URL, data: Data, events: WorkerHostEvents<Out>) {
    this.#url = url;
    this.#events = events;
    this.#plumbing = {
      wakeFd: openWake(),
      control: new Int32Array(new SharedArrayBuffer(4)),
      descriptors: descriptorBitmap(),
      data,
    };
    // A worker waiting in epoll would hold up process.exit for half a second.
    process.on('exit', this.#wakeForExit);
    this.#start();
  }

  /** Faults since the host was made. */
  get faultCount(): number {
    return this.#faultCount;
  }

  /** Sends to the worker, in order. Returns false, and drops the message, while there is no worker. Throws DataCloneError. */
  post(message: In, transfer: Transferable[] = []): boolean {
    if (!this.#worker || this.#stopping) return false;
    this.#worker.postMessage(message, transfer);
    wake(this.#plumbing.wakeFd);
    return true;
  }

  /**
   * Makes a descriptor of the main thread the worker's, by a message that names it: should the worker die before it takes the
   * message, it is closed with the others. Returns false, and leaves the descriptor to the caller, while there is no worker.
   */
  give(fd: number, message: In): boolean {
    if (!this.#worker || this.#stopping || !giveFd(fd, this.#plumbing.descriptors)) return false;
    return this.post(message);
  }

  /**
   * Ends the worker: asks it, and after 0.7 s forces it. Resolves within a second, when the worker is gone and its descriptors are closed
   * (or, in the one case that code in C blocks it, is condemned: they are closed when it returns).
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#restart);
    process.off('exit', this.#wakeForExit);
    const worker = this.#worker;
    if (!worker) {
      closeFd(this.#plumbing.wakeFd);
      return;
    }
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    this.#askToStop();
    if (await within(gone, politeMs)) return;
    void worker.terminate();
    wake(this.#plumbing.wakeFd);
    await within(gone, forcedMs);
  }

  #askToStop(): void {
    Atomics.store(this.#plumbing.control, 0, 1);
    wake(this.#plumbing.wakeFd);
  }

  #start(): void {
    const worker = new Worker(this.#url, { workerData: this.#plumbing, resourceLimits });
    this.#worker = worker;
    let stack: string | undefined;
    worker.on('message', (message: Out) => this.#events.onMessage(message));
    worker.on('error', (thrown: unknown) => {
      stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    });
    worker.on('exit', (status) => this.#ended(stack, status));
  }

  /** `thrown`: what ended it; undefined when it ended as asked, or by `terminate`. */
  #ended(thrown: string | undefined, status: number): void {
    this.#worker = undefined;
    const closedDescriptors = closeDescriptorsOf(this.#plumbing.descriptors);
    const stopping = this.#stopping !== undefined;
    if (!stopping || thrown !== undefined) {
      this.#faultCount++;
      const restartInMs = stopping ? undefined : this.#policy.fault(performance.now());
      if (restartInMs !== undefined) this.#restart = setTimeout(() => this.#start(), restartInMs);
      const stack = thrown ?? `the worker ended by itself with status ${status}`;
      this.#events.onFault({ stack, count: this.#faultCount, closedDescriptors, restartInMs });
    }
    if (stopping) {
      closeFd(this.#plumbing.wakeFd);
      this.#onGone?.();
    }
  }
}

/** Whether the promise was fulfilled in time. */
async function within(promise: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}
