import { bytesText } from './figures.ts';

/** Resident memory of both daemons and the kernel's memory for sockets, in bytes. */
export interface Footprint {
  readonly boxBytes: number;
  readonly relayBytes: number;
  /** Slab objects and queues of sockets, of the whole machine. */
  readonly kernelBytes: number;
  readonly tcpSockets: number;
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
  /** What client and server need for a stream, without box and relay between them: it is not counted to the streams below. */
  readonly ownKernelBytesPerStream: number;
  readonly live: ExchangeFigures & {
    readonly streams: number;
    readonly boxBytesPerStream: number;
    readonly relayBytesPerStream: number;
    readonly kernelBytesPerStream: number;
  };
  /** Processor time in cores (1 is one core all the time), box and relay, without streams and with idle ones. */
  readonly idle: {
    readonly streams: number;
    readonly baseCores: { readonly box: number; readonly relay: number };
    readonly cores: { readonly box: number; readonly relay: number };
    readonly boxBytesPerStream: number;
    readonly relayBytesPerStream: number;
    readonly kernelBytesPerStream: number;
  };
}

/** For people. */
export function crowdLines({ base, ownKernelBytesPerStream, live, idle }: CrowdFigures): string[] {
  const { exchanges, right, msMedian, msMax } = live;
  const slowest = `${msMedian?.toFixed(1) ?? '-'} ms in the median, ${msMax?.toFixed(1) ?? '-'} ms at most`;
  return [
    `  without streams: box ${bytesText(base.boxBytes)}, relay ${bytesText(base.relayBytes)} resident; ${base.tcpSockets} TCP sockets on this machine`,
    `  ${live.streams} live streams: ${perStream(live)}`,
    `  ${right} of ${exchanges} exchanges right, ${slowest}`,
    `  ${idle.streams} idle streams: ${perStream(idle)}`,
    `  processor with them: box ${coresText(idle.cores.box)}, relay ${coresText(idle.cores.relay)} of a core; without: ${coresText(idle.baseCores.box)}, ${coresText(idle.baseCores.relay)}`,
    `  kernel memory is that of box and relay: client and server need ${kilobytes(ownKernelBytesPerStream)} of their own a stream`,
  ];
}

function perStream(of: {
  boxBytesPerStream: number;
  relayBytesPerStream: number;
  kernelBytesPerStream: number;
}): string {
  const [box, relay, kernel] = [of.boxBytesPerStream, of.relayBytesPerStream, of.kernelBytesPerStream].map((bytes) =>
    kilobytes(bytes),
  );
  return `box ${box}, relay ${relay} resident and ${kernel} of the kernel a stream`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}

function coresText(cores: number): string {
  return `${(cores * 100).toFixed(2)} %`;
}
