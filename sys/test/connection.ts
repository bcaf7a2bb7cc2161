import { closeFd } from '../src/descriptors.ts';
import { EAGAIN } from '../src/errno.ts';
import { nativeSlab } from '../src/slab.ts';
import {
  accept,
  bindAddress,
  connectOutcome,
  connectStart,
  listen,
  localName,
  recvInto,
  sendFrom,
  tcpSocket,
} from '../src/socket.ts';

const slab = nativeSlab(65_536);

/** A listener on loopback at a port the kernel chooses. */
export function listening(family: 4 | 6 = 4): { fd: number; address: string; port: number } {
  const fd = tcpSocket(family);
  bindAddress(fd, family === 4 ? '127.0.0.1' : '::1', 0);
  listen(fd, 16);
  return { fd, ...localName(fd) };
}

/** Calls until it answers something else than "not now". */
export async function eventually(call: () => number): Promise<number> {
  const result = call();
  if (result !== -EAGAIN) return result;
  await new Promise((resolve) => setTimeout(resolve, 1));
  return eventually(call);
}

/** Both ends of a connection over loopback; `far` is the accepted one. */
export async function connected(family: 4 | 6 = 4): Promise<{ near: number; far: number; close: () => void }> {
  const listener = listening(family);
  const near = tcpSocket(family);
  connectStart(near, listener.address, listener.port);
  const far = await eventually(() => accept(listener.fd));
  if (connectOutcome(near) !== 0) throw new Error('loopback refused');
  closeFd(listener.fd);
  return {
    near,
    far,
    close: () => {
      closeFd(near);
      closeFd(far);
    },
  };
}

/** Sends text; it must fit the socket's buffer. */
export function say(fd: number, text: string): number {
  const bytes = Buffer.from(text);
  slab.bytes.set(bytes);
  return sendFrom(fd, slab.address, bytes.length);
}

/** What arrives next: text, '' for the end, or a negative number. */
export async function hear(fd: number): Promise<string | number> {
  const count = await eventually(() => recvInto(fd, slab.address, slab.bytes.length));
  return count < 0 ? count : Buffer.from(slab.bytes.subarray(0, count)).toString();
}
