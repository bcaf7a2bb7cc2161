/** The internet host of small requests: answers each at once and closes; gives back whatever else is said. `small-server.ts PORT` */
import { createServer } from 'node:net';

const body = 'x'.repeat(400);
const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;

const get = Buffer.from('GET ');

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes: Buffer) => {
    if (bytes.subarray(0, 4).equals(get)) socket.end(answer);
    else socket.write(bytes);
  });
}).listen(Number(process.argv[2]));
