import { monotonicMs } from '@tresse/sys';

import type { ServerProcess } from '../internet/server-process.ts';
import { addresses, addresses6 } from '../network/addresses.ts';
import { Child } from '../process/child.ts';
import { Arrivals } from './arrivals.ts';
import { type Content, ContentCheck } from './content.ts';

/** One transfer by curl between a namespace and the internet host. */
export interface TransferOrder {
  readonly kind: 'download' | 'upload';
  /** Unique within the server's life; ties the two ends' figures together. */
  readonly id: string;
  readonly netns: string;
  readonly server: ServerProcess;
  /** Which of the server's addresses the client is told; IPv4 where absent. */
  readonly to?: 'ipv4' | 'ipv6' | 'both' | 'far';
  readonly bytes: number;
  /** Ends the transfer after this time, however much has come. */
  readonly secondsMax?: number;
  /** Local address of the connection. */
  readonly from?: string;
  /** A command put before curl (`mptcpize run`). */
  readonly wrapper?: readonly string[];
  /** What arrives is compared with this; without it, it is only counted. */
  readonly content?: Content;
  /** File that is uploaded; of at least `bytes`. */
  readonly file?: string;
  /** Called as bytes arrive at the receiving application. */
  readonly onBytes?: (total: number, firstMs: number) => void;
}

/** What was seen of a transfer. Times are of the monotonic clock. */
export interface Transfer {
  readonly kind: TransferOrder['kind'];
  /** When the client began to connect. */
  readonly startMs: number;
  /** Bytes at the receiving application: curl's stdout, or the server. */
  readonly arrivals: Arrivals;
  /** Status of curl, 0 where all went well. */
  readonly status: number;
  /** curl's words where the status is not 0. */
  readonly complaint: string;
  /** Of the bytes that arrived, in hex; empty where they were only counted. */
  readonly sha256: string;
  /** Offset of the first wrong byte, -1 where all were right. */
  readonly wrongAt: number;
  /** Connections the client made, and requests and source addresses the server saw: one each, unless something broke. */
  readonly connections: number;
  readonly requests: number;
  readonly seenFrom: string;
}

/** A transfer under way: its outcome, and a way to end it early. */
export interface TransferUnderWay {
  readonly outcome: Promise<Transfer>;
  stop(): void;
}

/** Starts the transfer. The outcome never rejects: what went wrong is in it. */
export function beginTransfer(order: TransferOrder): TransferUnderWay {
  const child = new Child(order.netns, [...(order.wrapper ?? []), ...curl(order)]);
  const outcome = order.kind === 'download' ? followDownload(order, child) : followUpload(order, child);
  return { outcome, stop: () => child.process.kill('SIGKILL') };
}

/** The command: no proxy, no settings of the user, its own figures as one JSON document at the end of stderr. */
function curl(order: TransferOrder): string[] {
  const { address, port } = order.server;
  const hosts = { ipv4: address, ipv6: `[${addresses6.internetHost}]`, both: 'files.example', far: addresses.farHost };
  const base = `http://${hosts[order.to ?? 'ipv4']}:${port}`;
  const common = ['curl', '-q', '-sS', '-N', '--noproxy', '*', '--connect-timeout', '10', '-w', '%{stderr}\n%{json}\n'];
  if (order.to === 'both') common.push('--resolve', `${hosts.both}:${port}:${hosts.ipv6},${address}`);
  if (order.from !== undefined) common.push('--interface', order.from);
  if (order.kind === 'download') {
    if (order.secondsMax !== undefined) common.push('--max-time', String(order.secondsMax));
    return [...common, `${base}/bytes/${order.bytes}?id=${order.id}`];
  }
  const check = order.content === undefined ? '&check=0' : '';
  const seconds = order.secondsMax === undefined ? '' : `&seconds=${order.secondsMax}`;
  // Without the empty header curl would wait a second for the server's leave to send.
  return [...common, '-H', 'Expect:', '-T', order.file ?? '', `${base}/sink?id=${order.id}${check}${seconds}`];
}

async function followDownload(order: TransferOrder, child: Child): Promise<Transfer> {
  const arrivals = new Arrivals();
  const check = order.content === undefined ? undefined : new ContentCheck(order.content);
  child.process.stdout?.on('data', (piece: Buffer) => {
    arrivals.add(piece.length, monotonicMs());
    check?.take(piece);
    order.onBytes?.(arrivals.bytes, arrivals.firstMs ?? 0);
  });
  const client = await followClient(child);
  return {
    ...client,
    ...seenByServer(order),
    kind: 'download',
    arrivals,
    sha256: check?.digest() ?? '',
    wrongAt: check?.wrongAt ?? -1,
  };
}

async function followUpload(order: TransferOrder, child: Child): Promise<Transfer> {
  const { onBytes } = order;
  order.server.onProgress((progress) => {
    if (progress.id === order.id) onBytes?.(progress.bytes, progress.firstMs);
  });
  child.process.stdout?.resume();
  const client = await followClient(child);
  const taken = await order.server.taken(order.id, 5_000);
  return {
    ...client,
    ...seenByServer(order),
    kind: 'upload',
    arrivals: Arrivals.fromPairs(taken?.arrivals ?? []),
    sha256: taken?.sha256 ?? '',
    wrongAt: taken?.wrongAt ?? -1,
  };
}

function seenByServer(order: TransferOrder): Pick<Transfer, 'requests' | 'seenFrom'> {
  const requests = order.server.requestsOf(order.id);
  return { requests: requests.length, seenFrom: requests[0]?.from ?? '' };
}

interface CurlFigures {
  time_total: number;
  num_connects: number;
  errormsg: string | null;
}

async function followClient(child: Child): Promise<Pick<Transfer, 'startMs' | 'status' | 'complaint' | 'connections'>> {
  const spawnedMs = monotonicMs();
  let text = '';
  let saidMs = 0;
  child.process.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    saidMs = monotonicMs();
    text += piece;
  });
  const { status } = await child.ended;
  const line = text.split('\n').find((l) => l.startsWith('{'));
  if (line === undefined)
    return { startMs: spawnedMs, status: status === 0 ? 1 : status, complaint: text.trim(), connections: 0 };
  const figures = JSON.parse(line) as CurlFigures;
  return {
    // Counted back from its end: starting a process takes a time that is not the network's.
    startMs: saidMs - figures.time_total * 1_000,
    status,
    complaint: figures.errormsg ?? '',
    connections: figures.num_connects,
  };
}
