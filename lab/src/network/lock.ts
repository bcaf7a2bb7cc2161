import { createServer, type Server } from 'node:net';

import { UserError } from '@tresse/kit';

/** Held while a lab is up. */
export interface LabLock {
  release(): void;
}

/**
 * Takes the lock: an abstract socket, which the kernel gives up the moment its owner is dead, however it died. Throws UserError
 * `LAB_BUSY` where another run holds it.
 */
export async function takeLock(name: string): Promise<LabLock> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new UserError('LAB_BUSY', 'another lab runs on this machine; wait for its end')
          : error,
      );
    });
    server.listen(`\0${name}`, resolve);
  });
  server.unref();
  return { release: () => closed(server) };
}

function closed(server: Server): void {
  server.close();
}
