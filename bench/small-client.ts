/**
 * The LAN host of small requests: `small-client.ts ADDRESS PORT WHAT FROM...`, prints JSON.
 * `first-byte`: requests one after another, from each local address by turns; for each, the milliseconds from before connecting to the first byte of each.
 * `requests`: as many as go, a fixed number at a time, for a while; how many were answered a second.
 * `idle`: that many connections opened, `open` printed, and kept until standard input ends.
 */
import { connect, type Socket } from 'node:net';

const [address = '', port = '', what = '', ...froms] = process.argv.slice(2);
const requests = 200;
const atOnce = 32;
const busyMs = 2_000;
const idleCount = 3_000;
const request = `GET / HTTP/1.1\r\nHost: ${address}\r\n\r\n`;

function dial(from: string): Socket {
  return connect({ host: address, port: Number(port), localAddress: from, noDelay: true });
}

/** Milliseconds to the first byte. Rejects where none comes. */
async function firstByteMs(from: string): Promise<number> {
  const startedMs = performance.now();
  return await new Promise((resolve, reject) => {
    const socket = dial(from);
    socket.on('connect', () => socket.write(request));
    socket.once('data', () => resolve(performance.now() - startedMs));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without an answer')));
  });
}

async function inTurn(count: number, work: (i: number) => Promise<void>): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one request after another is what is measured
  for (let i = 0; i < count; i++) await work(i);
}

async function firstBytes(): Promise<number[][]> {
  const figures: number[][] = froms.map(() => []);
  await inTurn(requests * froms.length, async (i) => {
    const who = i % froms.length;
    figures[who]?.push(await firstByteMs(froms[who] ?? ''));
  });
  return figures;
}

async function busy(from: string): Promise<number> {
  const startedMs = performance.now();
  let answered = 0;
  const one = async (): Promise<void> => {
    await firstByteMs(from);
    answered++;
    if (performance.now() - startedMs < busyMs) await one();
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return (answered * 1_000) / (performance.now() - startedMs);
}

async function idle(from: string): Promise<void> {
  const open = Array.from(
    { length: idleCount },
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = dial(from);
        socket.on('connect', resolve);
        socket.on('error', reject);
      }),
  );
  await Promise.all(open);
  process.stdout.write('open\n');
  process.stdin.resume().on('end', () => process.exit(0));
}

const print = (figures: unknown): void => void process.stdout.write(`${JSON.stringify(figures)}\n`);
if (what === 'first-byte') print(await firstBytes());
else if (what === 'requests') print(await busy(froms[0] ?? ''));
else await idle(froms[0] ?? '');
