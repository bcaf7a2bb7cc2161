import { accept, EAGAIN, EINTR, ErrnoError, type EventLoop, READABLE, type Timer } from '@tresse/sys';

/** Connections taken per wake-up. */
const acceptsMax = 64;
/** Without descriptors or memory a listener stays readable: it is left alone for so long, ms, or the loop would spin. */
const pauseMs = 100;
/** What says something of one connection only: it was gone before it was taken (accept(2)). */
const ECONNABORTED = 103;
const EPROTO = 71;

/** Takes the connections of a listening socket, a bounded number per turn. */
export class Acceptor {
  /** How often nothing could be taken for want of descriptors or memory. */
  exhausted = 0;
  readonly #fd: number;
  readonly #loop: EventLoop;
  readonly #onConnection: (fd: number) => void;
  readonly #resume: Timer;

  /** Watches `fd`; each connection belongs to `onConnection`. Throws ErrnoError. */
  constructor(fd: number, loop: EventLoop, onConnection: (fd: number) => void) {
    this.#fd = fd;
    this.#loop = loop;
    this.#onConnection = onConnection;
    this.#resume = loop.timer(() => loop.modify(fd, READABLE));
    loop.add(fd, READABLE, () => this.#accept());
  }

  /** Leaves the listener alone; its descriptor stays open. */
  close(): void {
    this.#resume.cancel();
    this.#loop.remove(this.#fd);
  }

  #accept(): void {
    for (let i = 0; i < acceptsMax; i++) {
      const fd = taken(this.#fd);
      if (fd >= 0) this.#onConnection(fd);
      else if (fd === -EAGAIN) return;
      else if (fd !== -EINTR && fd !== -ECONNABORTED && fd !== -EPROTO) {
        this.exhausted++;
        this.#loop.modify(this.#fd, 0);
        this.#resume.at(this.#loop.nowMs + pauseMs);
        return;
      }
    }
  }
}

/** The next connection, or -errno. */
function taken(listener: number): number {
  try {
    return accept(listener);
  } catch (error) {
    // The number is beyond what a worker can own.
    if (error instanceof ErrnoError) return -error.errno;
    throw error;
  }
}
