import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

import { dialRelay } from '../src/dial.ts';
import { makeIdentity } from '../src/identity-maker.ts';
import type { Agreement, Identity, Offer, RelayTarget } from '../src/index.ts';
import { makeLog } from '../src/log.ts';
import { pinOfKey } from '../src/pin.ts';
import { type Host, Reception } from '../src/reception.ts';

/** Something to undo after the test that runs. A hook of this module's own would belong to the first file that loads it. */
export const undo = (end: () => void): void => {
  onTestFinished(end);
};

/** A directory of the test's own. */
export function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'tresse-test-'));
  undo(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A new identity, its certificate with these dates. */
export async function identity(
  notBefore = '2000-01-01T00:00:00Z',
  notAfter = '2199-12-31T23:59:59Z',
): Promise<Identity> {
  const made = await makeIdentity('test', { notBefore, notAfter });
  return { ...made, pin: pinOfKey(createPublicKey(made.keyPem)) };
}

export const offer: Offer = {
  incarnation: 'ab'.repeat(16),
  limits: { streams: 1000, initialCredit: 16_384, frames: [0, 1, 2] },
  ciphers: ['aes-256-gcm', 'chacha20-poly1305'],
  software: 'test',
};

/** What a relay in this process saw. */
export interface TestRelay {
  readonly port: number;
  readonly reception: Reception;
  readonly admitted: Agreement[];
  readonly lines: string[];
}

/** A relay's reception behind a real listening socket; descriptors move to it as the engine's do. */
export async function relay(
  own: Identity,
  boxes: readonly string[],
  overrides: Partial<Host> = {},
): Promise<TestRelay> {
  const admitted: Agreement[] = [];
  const lines: string[] = [];
  const reception = new Reception(
    own,
    {
      welcome: (pin) => (boxes.includes(pin) ? { name: 'box' } : { refused: 'unknown-box' }),
      pair: () => ({ refused: 'token-wrong' }),
      terms: () => ({ ...offer, incarnation: 'cd'.repeat(16), generation: 7 }),
      admit: (agreement) => {
        admitted.push(agreement);
        return Promise.resolve(undefined);
      },
      ...overrides,
    },
    makeLog('debug', (line) => lines.push(line)),
  );
  const { closeFd, accept, tcpSocket, bindAddress, listen, localName, setReuseAddress } = await import('@tresse/sys');
  const listener = tcpSocket(4);
  setReuseAddress(listener);
  bindAddress(listener, '127.0.0.1', 0);
  listen(listener, 64);
  const timer = setInterval(() => {
    for (let fd = accept(listener); fd >= 0; fd = accept(listener))
      reception.adopt(fd, { address: '127.0.0.1', port: 1 });
  }, 2);
  undo(() => {
    clearInterval(timer);
    closeFd(listener);
    reception.close();
  });
  return { port: localName(listener).port, reception, admitted, lines };
}

/** Dials a relay of this process. */
export function dial(
  box: Identity,
  port: number,
  pin: string,
  changes: Partial<RelayTarget> = {},
  options: Parameters<typeof dialRelay>[3] = {},
): ReturnType<typeof dialRelay> {
  return dialRelay({ address: '127.0.0.1', port, pin, ...changes }, box, offer, options);
}

/** A TCP server that treats every connection the same. */
export async function server(each: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const made: Server = createServer((socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
    each(socket);
  });
  await new Promise<void>((resolve) => {
    made.listen(0, '127.0.0.1', resolve);
  });
  undo(() => {
    made.close();
    for (const socket of sockets) socket.destroy();
  });
  return (made.address() as AddressInfo).port;
}
