/** The internet host of small requests: answers each at once and closes; keeps a connection that asks nothing. `small-server.ts PORT` */
import { createServer } from 'node:net';

const body = 'x'.repeat(400);
const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', () => socket.end(answer));
}).listen(Number(process.argv[2]));
