import { SystemError } from '@tresse/kit';
import { WorkerHost } from '@tresse/sys';

import type { FromWorker, ToWorker } from './messages.ts';

/** What the owner of a worker hears beside the answers to its calls. */
export interface LinkEvents {
  /** The worker runs; again after each restart. */
  onReady(incarnation: string): void;
  onMessage(message: FromWorker): void;
  /** It died. `restartInMs`: when the next one begins; undefined: never. */
  onFault(stack: string, count: number, restartInMs: number | undefined): void;
}

/** The main thread's handle of one data-plane worker: whether it runs, messages, and calls that wait for an answer. */
export class WorkerLink<Data> {
  /** Resolves when the worker first runs; rejects when it cannot (a port in use). */
  readonly ready: Promise<void>;
  readonly #host: WorkerHost<ToWorker, FromWorker, Data>;
  readonly #events: LinkEvents;
  readonly #calls = new Map<number, { resolve: (message: FromWorker) => void; reject: (error: unknown) => void }>();
  #nextCall = 1;
  #incarnation: string | undefined;
  #dead = false;
  #settleReady: { resolve: () => void; reject: (error: unknown) => void } | undefined;

  /** Starts the worker. Throws ErrnoError when none can be made. */
  constructor(worker: URL, data: Data, events: LinkEvents) {
    this.#events = events;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // Whoever waits for it hears of it; an owner that does not wait must not die of it.
    this.ready.catch(() => {});
    this.#host = new WorkerHost<ToWorker, FromWorker, Data>(worker, data, {
      onMessage: (message) => this.#onMessage(message),
      onFault: (fault) => {
        this.#incarnation = undefined;
        this.#failCalls('the data plane was restarted');
        if (fault.restartInMs === undefined) {
          this.#dead = true;
          this.#settleReady?.reject(new SystemError('ENGINE_DEAD', 'the data plane failed too often and was given up'));
        }
        events.onFault(fault.stack, fault.count, fault.restartInMs);
      },
    });
  }

  /** Who the worker is; undefined while it is starting. */
  get incarnation(): string | undefined {
    return this.#incarnation;
  }

  /** It failed too often and is not started again. */
  get dead(): boolean {
    return this.#dead;
  }

  /** Sends a message, in order. Returns false while there is no worker. */
  post(message: ToWorker): boolean {
    return this.#host.post(message);
  }

  /** Makes a descriptor the worker's, by a message that names it. Returns false, the descriptor untouched, while there is no worker. */
  give(fd: number, message: ToWorker): boolean {
    return this.#host.give(fd, message);
  }

  /** Sends a message and resolves to its answer. Rejects with SystemError `ENGINE_GONE` when the worker ends before. */
  call(message: (call: number) => ToWorker): Promise<FromWorker> {
    const call = this.#nextCall++;
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      if (this.#host.post(message(call))) return;
      this.#calls.delete(call);
      reject(new SystemError('ENGINE_GONE', 'the data plane is not running'));
    });
  }

  /** Ends the worker within a second. */
  async stop(): Promise<void> {
    await this.#host.stop();
    this.#incarnation = undefined;
    this.#failCalls('the data plane has ended');
    this.#settleReady?.reject(new SystemError('ENGINE_GONE', 'the data plane has ended'));
  }

  #failCalls(reason: string): void {
    for (const { reject } of this.#calls.values()) reject(new SystemError('ENGINE_GONE', reason));
    this.#calls.clear();
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#incarnation = message.incarnation;
        this.#settleReady?.resolve();
        this.#events.onReady(message.incarnation);
        break;
      case 'unready':
        this.#settleReady?.reject(new SystemError('ENGINE_START', message.reason));
        break;
      case 'done':
      case 'status':
        this.#calls.get(message.call)?.resolve(message);
        this.#calls.delete(message.call);
        break;
      case 'log':
      case 'tls':
      case 'strand':
      case 'message':
      case 'handshake':
      case 'reach':
      case 'packets':
      case 'network':
        this.#events.onMessage(message);
    }
  }
}
