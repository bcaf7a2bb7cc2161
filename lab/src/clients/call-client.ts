/**
 * One end of a call: `call-client.ts caller ADDRESS PORT EVERY_MS BYTES` or `call-client.ts callee PORT EVERY_MS BYTES`. Sends a numbered packet every so many milliseconds,
 * the callee from the first that comes; until standard input ends, and a moment longer what is on its way. Then prints what it sent and what came, as JSON.
 */
import { createSocket } from 'node:dgram';

import { monotonicMs } from '@tresse/sys';

const [role = '', ...rest] = process.argv.slice(2);
const [address, port = 0, everyMs = 20, bytes = 172] =
  role === 'caller' ? [rest[0], ...rest.slice(1).map(Number)] : [undefined, ...rest.map(Number)];
/** What was sent last arrives within this, or is lost. */
const lateMs = 2_000;
/** Number and time. */
const headBytes = 12;

let sent = 0;
let nextMs = 0;
let peer = address === undefined ? undefined : { address, port };
let timer: NodeJS.Timeout | undefined;
/** Nothing is sent any more; what comes still counts. */
let ended = false;
/** Number, when it was sent, when it came, by the clock all processes of the machine share. */
const came: [number, number, number][] = [];
const packet = Buffer.alloc(Math.max(bytes, headBytes));
const socket = createSocket('udp4');

function speak(): void {
  if (!peer) return;
  const nowMs = monotonicMs();
  packet.writeUInt32BE(sent++, 0);
  packet.writeDoubleBE(nowMs, 4);
  socket.send(packet, peer.port, peer.address);
  // By the plan, not from now: being late once must not make the call slower.
  nextMs = Math.max(nextMs + everyMs, nowMs);
  timer = setTimeout(speak, Math.max(0, nextMs - nowMs));
}

socket.on('message', (message, from) => {
  if (message.length < headBytes) return;
  came.push([message.readUInt32BE(0), message.readDoubleBE(4), monotonicMs()]);
  if (ended || peer !== undefined) return;
  peer = from;
  nextMs = monotonicMs();
  speak();
});
// Nobody listens for a moment, or a line is gone: the packet is lost, and will be counted so.
socket.on('error', () => {});
socket.bind(role === 'caller' ? 0 : port, () => {
  if (role !== 'caller') return;
  nextMs = monotonicMs();
  speak();
});
process.stdin.resume().on('end', () => {
  clearTimeout(timer);
  ended = true;
  setTimeout(() => {
    socket.close();
    process.stdout.write(`${JSON.stringify({ sent, came })}\n`);
  }, lateMs);
});
