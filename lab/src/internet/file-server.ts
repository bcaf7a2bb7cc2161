import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { monotonicMs } from '@tresse/sys';

import { Arrivals } from '../measure/arrivals.ts';
import { Content, ContentCheck } from '../measure/content.ts';
import type { ServerNote } from './server-notes.ts';

/** Written at once: large enough that a fast line needs few wake-ups. */
const pieceBytes = 262_144;
const progressEveryMs = 50;

/**
 * The internet host's file server. `GET /bytes/N?id=X` gives the first N bytes of the content; `PUT /sink?id=X` takes bytes and
 * compares them (`check=0`: only counts). `seconds=S` on a PUT breaks the connection after that time, because a client that is
 * told to stop would still empty its buffers into the line. What happened is told through `note`.
 */
export function fileServer(seed: number, note: (said: ServerNote) => void): Server {
  const content = new Content(seed);
  const numbers = new WeakMap<Socket, number>();
  let connections = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://lab');
    const id = url.searchParams.get('id') ?? '';
    const connection = numbers.get(request.socket) ?? 0;
    note({ kind: 'request', id, connection, from: plainAddress(request.socket.remoteAddress), atMs: monotonicMs() });
    const wanted = /^\/bytes\/(\d+)$/u.exec(url.pathname);
    if (request.method === 'GET' && wanted) give(response, content, Number(wanted[1]));
    else if (request.method === 'PUT' && url.pathname === '/sink') {
      const check = url.searchParams.get('check') === '0' ? undefined : new ContentCheck(content);
      take(request, response, { id, check, seconds: Number(url.searchParams.get('seconds') ?? 0) }, note);
    } else response.writeHead(404).end();
  });
  server.on('connection', (socket) => {
    numbers.set(socket, ++connections);
    socket.setNoDelay(true);
  });
  server.requestTimeout = 0;
  return server;
}

function give(response: ServerResponse, content: Content, bytes: number): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
  let at = 0;
  const more = (): void => {
    while (at < bytes) {
      const piece = content.slice(at, Math.min(pieceBytes, bytes - at));
      at += piece.length;
      if (!response.write(piece)) return;
    }
    response.end();
  };
  response.on('drain', more);
  response.on('error', () => response.destroy());
  more();
}

interface Sink {
  readonly id: string;
  readonly check: ContentCheck | undefined;
  /** 0: until the client ends. */
  readonly seconds: number;
}

function take(request: IncomingMessage, response: ServerResponse, sink: Sink, note: (said: ServerNote) => void): void {
  const arrivals = new Arrivals();
  let toldMs = 0;
  const stop = sink.seconds > 0 ? setTimeout(() => request.socket.resetAndDestroy(), sink.seconds * 1_000) : undefined;
  request.on('data', (piece: Buffer) => {
    const now = monotonicMs();
    arrivals.add(piece.length, now);
    sink.check?.take(piece);
    if (now - toldMs < progressEveryMs) return;
    toldMs = now;
    note({ kind: 'progress', id: sink.id, bytes: arrivals.bytes, firstMs: arrivals.firstMs ?? now });
  });
  request.on('end', () => response.writeHead(201).end());
  request.on('error', () => request.destroy());
  request.on('close', () => {
    clearTimeout(stop);
    note({
      kind: 'taken',
      id: sink.id,
      wrongAt: sink.check?.wrongAt ?? -1,
      sha256: sink.check?.digest() ?? '',
      arrivals: arrivals.toPairs(),
    });
  });
}

/** An IPv4 address in its own form, also where the socket takes both families. */
function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/u, '');
}
