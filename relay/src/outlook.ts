import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';

import { ipWithin } from '@tresse/schema';

/**
 * The kernel is asked how it would reach these; nothing is sent. Each is in the unicast space of its family and belongs to no
 * special network, so that only a default route leads there.
 */
const anywhere = { 4: '223.255.255.1', 6: '2000::1' } as const;
/** The discard port (RFC 863). */
const anyPort = 9;
/** What the internet can answer to. */
const globalUnicast = '2000::/3';
const lookMs = 500;

/** What a relay sees of the network around it. */
export interface Surroundings {
  /** Every address of this machine, in an order of their own. */
  readonly own: readonly string[];
  /** Whether there is a way to the internet, by family. */
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

/** Looks around now. */
export async function lookAround(): Promise<Surroundings> {
  const found = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((one) => one.address));
  const [four, six] = await Promise.all([sourceFor(4), sourceFor(6)]);
  return {
    own: [...new Set(found)].toSorted(),
    ipv4: four !== undefined,
    ipv6: six !== undefined && ipWithin(six, globalUnicast),
  };
}

/** The address this machine would speak to the internet from; undefined where no route leads there. */
function sourceFor(family: 4 | 6): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(`udp${family}`);
    const end = (source: string | undefined): void => {
      socket.close();
      resolve(source);
    };
    socket.on('error', () => end(undefined));
    socket.connect(anyPort, anywhere[family], (error?: Error | null) => {
      end(error ? undefined : socket.address().address);
    });
  });
}

/** Looks around every few seconds, and tells of each change. */
export class Outlook {
  readonly #onChange: (now: Surroundings) => void;
  #now: Surroundings;
  #timer: NodeJS.Timeout | undefined;

  constructor(now: Surroundings, onChange: (now: Surroundings) => void) {
    this.#now = now;
    this.#onChange = onChange;
    // It cannot fail: a family that is not there is a look's answer.
    this.#timer = setInterval(() => void this.#look(), lookMs);
  }

  get now(): Surroundings {
    return this.#now;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const seen = await lookAround();
    if (this.#timer === undefined || JSON.stringify(seen) === JSON.stringify(this.#now)) return;
    this.#now = seen;
    this.#onChange(seen);
  }
}
