import type { KernelMemory } from '../measure/kernel-memory.ts';
import { bytesText } from './figures.ts';

/** Resident memory of both daemons and the kernel's memory for sockets, in bytes. */
export interface Footprint {
  readonly boxBytes: number;
  readonly relayBytes: number;
  /** Of the whole machine. */
  readonly kernel: KernelMemory;
  /** Of box and relay: their sockets, and what stands in their queues. */
  readonly sockets: number;
  readonly queueBytes: number;
}

/** Exchanges with the server, one round of all streams or several. */
export interface ExchangeFigures {
  readonly exchanges: number;
  readonly right: number;
  readonly msMedian: number | null;
  readonly msMax: number | null;
}

/** Many streams on box and relay. */
export interface CrowdFigures {
  /** Without streams. */
  readonly base: Footprint;
  /** Slab memory of a socket of client and server, without box and relay between them: theirs and strangers' are not counted to the streams below. */
  readonly socketBytes: number | null;
  readonly live: ExchangeFigures & {
    readonly streams: number;
    readonly boxBytesPerStream: number;
    readonly relayBytesPerStream: number;
    /** Null where others on this machine opened or closed more sockets meanwhile than there are streams. */
    readonly kernelBytesPerStream: number | null;
  };
  /** Processor time in cores (1 is one core all the time), box and relay, without streams and with idle ones. */
  readonly idle: {
    readonly streams: number;
    readonly baseCores: { readonly box: number; readonly relay: number };
    readonly cores: { readonly box: number; readonly relay: number };
    readonly boxBytesPerStream: number;
    readonly relayBytesPerStream: number;
    readonly kernelBytesPerStream: number | null;
  };
}

/** For people. */
export function crowdLines({ base, socketBytes, live, idle }: CrowdFigures): string[] {
  const { exchanges, right, msMedian, msMax } = live;
  const slowest = `${msMedian?.toFixed(1) ?? '-'} ms in the median, ${msMax?.toFixed(1) ?? '-'} ms at most`;
  return [
    `  without streams: box ${bytesText(base.boxBytes)}, relay ${bytesText(base.relayBytes)} resident; ${base.sockets} TCP sockets of theirs, ${base.kernel.tcpSockets} on this machine`,
    `  ${live.streams} live streams: ${perStream(live)}`,
    `  ${right} of ${exchanges} exchanges right, ${slowest}`,
    `  ${idle.streams} idle streams: ${perStream(idle)}`,
    `  processor with them: box ${coresText(idle.cores.box)}, relay ${coresText(idle.cores.relay)} of a core; without: ${coresText(idle.baseCores.box)}, ${coresText(idle.baseCores.relay)}`,
    `  kernel memory is that of box and relay, queues included; other programs have ${kilobytes(socketBytes)} a socket`,
  ];
}

function perStream(of: {
  boxBytesPerStream: number;
  relayBytesPerStream: number;
  kernelBytesPerStream: number | null;
}): string {
  const [box, relay, kernel] = [of.boxBytesPerStream, of.relayBytesPerStream, of.kernelBytesPerStream].map((bytes) =>
    kilobytes(bytes),
  );
  return `box ${box}, relay ${relay} resident and ${kernel} of the kernel a stream`;
}

function kilobytes(bytes: number | null): string {
  return bytes === null ? '-' : `${(bytes / 1_000).toFixed(1)} kB`;
}

function coresText(cores: number): string {
  return `${(cores * 100).toFixed(2)} %`;
}
