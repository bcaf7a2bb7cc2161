import { closeFd, endpoint, nativeSlab, rawSocket, receiveFrom, sendTo } from '@tresse/sys';

/** Ports of the internet host that answer probes. */
export const probePorts = { dns: 53, echo: 7 } as const;

/** More than any packet. */
const bytesMax = 65_536;
const lookEveryMs = 2;
const ipv4HeaderWordBytes = 4;

/** A raw socket whose packets are handed over as they come; looked at every other millisecond. */
export class RawPort {
  readonly #fd: number;
  readonly #family: 4 | 6;
  readonly #from = endpoint();
  readonly #memory = nativeSlab(bytesMax);
  readonly #timer: NodeJS.Timeout;

  /** `take` gets what is behind the IP header, valid until it returns. */
  constructor(family: 4 | 6, protocol: number, take: (payload: Buffer) => void) {
    this.#fd = rawSocket(family, protocol);
    this.#family = family;
    this.#timer = setInterval(() => this.#receive(take), lookEveryMs);
  }

  /** Returns its bytes or -errno. */
  send(payload: Buffer, address: string): number {
    this.#memory.bytes.set(payload);
    return sendTo(this.#fd, this.#memory.address, payload.length, endpoint(address));
  }

  /** Sends to where the packet came from that is being taken. Returns its bytes or -errno. */
  answer(payload: Buffer): number {
    this.#memory.bytes.set(payload);
    return sendTo(this.#fd, this.#memory.address, payload.length, this.#from);
  }

  close(): void {
    clearInterval(this.#timer);
    closeFd(this.#fd);
  }

  #receive(take: (payload: Buffer) => void): void {
    for (;;) {
      const length = receiveFrom(this.#fd, this.#memory.address, bytesMax, this.#from);
      if (length < 0) return;
      const header = this.#family === 4 ? ((this.#memory.bytes[0] ?? 0) & 0x0f) * ipv4HeaderWordBytes : 0;
      take(Buffer.from(this.#memory.bytes.subarray(header, length)));
    }
  }
}
