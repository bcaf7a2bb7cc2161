import { connect, createServer, type Server, type Socket } from 'node:net';

/** A proxy's connections, and a way to let it die. */
export interface Splice {
  readonly server: Server;
  /** From now on everything is taken and nothing is passed on. */
  die(): void;
}

/**
 * A transparent TCP proxy: takes connections meant for others, acknowledges what comes, and carries it by connections of its own
 * to where the client wanted to go. Its listener has to be a transparent one, so that a connection's local address is that destination.
 */
export function splice(): Splice {
  let dead = false;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = connect({
      host: client.localAddress ?? '',
      port: client.localPort ?? 0,
      allowHalfOpen: true,
      noDelay: true,
    });
    carry(client, upstream, () => dead);
    carry(upstream, client, () => dead);
  });
  return { server, die: () => (dead = true) };
}

/** Passes on what `from` says until it ends; its failure is passed on as a reset. */
function carry(from: Socket, to: Socket, isDead: () => boolean): void {
  from.on('data', (piece: Buffer) => {
    if (!isDead() && !to.write(piece)) from.pause();
  });
  to.on('drain', () => from.resume());
  from.on('end', () => {
    if (!isDead()) to.end();
  });
  from.on('error', () => {
    if (!isDead()) to.resetAndDestroy();
  });
}
