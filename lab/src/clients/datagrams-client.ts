/**
 * `datagrams-client.ts ADDRESS PORT COUNT EVERY_MS`: sends so many datagrams, one every so many milliseconds, waits a moment for the last answer, and prints how many were
 * answered and what they said, as JSON.
 */
import { createSocket } from 'node:dgram';

const [address = '', port = '', count = '', every = ''] = process.argv.slice(2);
/** What is answered later is lost. */
const lateMs = 1_000;
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const said = new Set<string>();
let sent = 0;
let answered = 0;

const timer = setInterval(() => {
  socket.send(`${sent}`, Number(port), address);
  if (++sent < Number(count)) return;
  clearInterval(timer);
  setTimeout(() => {
    process.stdout.write(`${JSON.stringify({ sent, answered, said: [...said] })}\n`);
    socket.close();
  }, lateMs);
}, Number(every));

socket.on('message', (text) => {
  answered++;
  said.add(String(text));
});
// Nobody listens there: it was not answered.
socket.on('error', () => undefined);
