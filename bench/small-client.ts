/**
 * The LAN host of small requests: `small-client.ts ADDRESS PORT WHAT FROM...`, prints JSON.
 * `first-byte`: requests one after another, from each local address by turns; for each, the milliseconds from before connecting to the first byte of each.
 * `requests`: as many as go, a fixed number at a time, for a while; how many were answered a second.
 * `idle`: that many connections opened, `open` printed, and kept until standard input ends. `live`: the same, fewer, on each of which a kilobyte
 * goes and comes back every second.
 */
import { connect, type Socket } from 'node:net';

const [address = '', port = '', what = '', ...froms] = process.argv.slice(2);
const requests = 200;
const atOnce = 32;
const busyMs = 2_000;
const counts: Readonly<Record<string, number>> = { idle: 3_000, live: 1_000 };
/** A relay lets a box open 512 a second, and twice that at once. */
const openedAtOnce = 400;
const openEveryMs = 1_000;
const sayEveryMs = 1_000;
const said = Buffer.alloc(1_000, 'x');
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

/** Says something and takes it back, for ever. */
function talk(socket: Socket): void {
  let due = 0;
  socket.on('data', (bytes) => (due -= bytes.length));
  setInterval(() => {
    if (due > 0) throw new Error('what was said did not come back within a second');
    due = said.length;
    socket.write(said);
  }, sayEveryMs);
}

/** Opens so many connections, and returns when they stand. */
async function open(kind: string, from: string, count: number): Promise<void> {
  const connecting = Array.from(
    { length: count },
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = dial(from);
        socket.on('connect', () => {
          if (kind === 'live') talk(socket);
          resolve();
        });
        socket.on('error', reject);
      }),
  );
  await Promise.all(connecting);
}

async function keep(kind: string, from: string): Promise<void> {
  const count = counts[kind] ?? 0;
  await inTurn(Math.ceil(count / openedAtOnce), async (i) => {
    await open(kind, from, Math.min(openedAtOnce, count - i * openedAtOnce));
    await new Promise((resolve) => setTimeout(resolve, openEveryMs));
  });
  process.stdout.write('open\n');
  process.stdin.resume().on('end', () => process.exit(0));
}

const print = (figures: unknown): void => void process.stdout.write(`${JSON.stringify(figures)}\n`);
if (what === 'first-byte') print(await firstBytes());
else if (what === 'requests') print(await busy(froms[0] ?? ''));
else await keep(what, froms[0] ?? '');
