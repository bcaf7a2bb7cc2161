import { wordSlab } from './slab.ts';
import { optionInto } from './socket-options.ts';

const SOL_TCP = 6;
const TCP_INFO = 11;
/** struct tcp_info up to and with tcpi_snd_wnd (Linux 5.4); later fields are not used, earlier kernels leave the end at 0. */
const sizeBytes = 232;

/**
 * What the kernel knows of a TCP connection, in a buffer of its own: `read` a socket, then ask the getters. Use one for many sockets. A read
 * takes about 2 us and allocates nothing. Offsets are those of struct tcp_info in linux/tcp.h.
 */
export class TcpInfo {
  readonly #slab = wordSlab(sizeBytes / 4);

  /** Takes a snapshot. Returns false when the descriptor is no TCP socket; the getters then tell the former one. */
  read(fd: number): boolean {
    return optionInto(fd, SOL_TCP, TCP_INFO, this.#slab.address, sizeBytes) >= 0;
  }

  /** TCP state: 1 established, 2 SYN sent, 7 closed, 8 peer sent FIN (include/net/tcp_states.h). */
  get state(): number {
    return this.#u32(0) & 0xff;
  }

  /** Retransmission time-outs in a row without an answer. */
  get retransmits(): number {
    return (this.#u32(0) >>> 16) & 0xff;
  }

  /** The delivery rate was limited by the sender having nothing to send. */
  get deliveryRateAppLimited(): boolean {
    return ((this.#u32(4) >>> 24) & 1) === 1;
  }

  get sndMss(): number {
    return this.#u32(16);
  }

  /** Segments sent and not acknowledged. */
  get unackedSegments(): number {
    return this.#u32(24);
  }

  /** Segments on their way: neither acknowledged in any way nor thought lost (RFC 6675's pipe). */
  get segmentsInFlight(): number {
    return Math.max(0, this.#u32(24) - this.#u32(28) - this.#u32(32) + this.#u32(36));
  }

  /** Bytes in those segments: of all that was sent and not acknowledged, their share. */
  get bytesInFlight(): number {
    const unacked = this.unackedSegments;
    if (unacked === 0) return 0;
    const bytes = this.bytesSent - this.bytesRetransmitted - this.bytesAcked;
    return Math.max(0, (bytes * this.segmentsInFlight) / unacked);
  }

  /** Segments thought lost. */
  get lostSegments(): number {
    return this.#u32(32);
  }

  /** Smoothed round trip time in microseconds. */
  get rttUs(): number {
    return this.#u32(68);
  }

  get rttVarUs(): number {
    return this.#u32(72);
  }

  /** Congestion window in segments. */
  get sndCwnd(): number {
    return this.#u32(80);
  }

  /** Segments sent again, since the beginning. */
  get retransmitsTotal(): number {
    return this.#u32(100);
  }

  /** Bytes a second the kernel paces to. */
  get pacingRate(): number {
    return this.#u64(104);
  }

  /** Bytes acknowledged by the peer's kernel, since the beginning. */
  get bytesAcked(): number {
    return this.#u64(120);
  }

  get bytesReceived(): number {
    return this.#u64(128);
  }

  /** Segments received, bare acknowledgements included: stands still only while the peer is silent. */
  get segmentsIn(): number {
    return this.#u32(140);
  }

  /** Bytes given to the kernel and not sent yet. */
  get unsentBytes(): number {
    return this.#u32(144);
  }

  /** Smallest round trip time in microseconds; 0xffffffff before the first. */
  get minRttUs(): number {
    return this.#u32(148);
  }

  get dataSegmentsIn(): number {
    return this.#u32(152);
  }

  get dataSegmentsOut(): number {
    return this.#u32(156);
  }

  /** Newest delivery rate sample in bytes a second. */
  get deliveryRate(): number {
    return this.#u64(160);
  }

  /** Bytes sent, those sent again included. */
  get bytesSent(): number {
    return this.#u64(200);
  }

  get bytesRetransmitted(): number {
    return this.#u64(208);
  }

  #u32(offset: number): number {
    return this.#slab.words[offset >> 2] ?? 0;
  }

  #u64(offset: number): number {
    return this.#u32(offset) + this.#u32(offset + 4) * 0x1_0000_0000;
  }
}
