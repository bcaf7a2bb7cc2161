import { createServer } from 'node:net';

/**
 * Started by the runner inside a namespace: `node echo-server.ts ADDRESS PORT`. Sends back what it gets. Says on stdout from which addresses it was spoken to, each
 * once, as a JSON text a line; before that an empty one, when it listens. Ends when its stdin does.
 */
const [address = '', port = ''] = process.argv.slice(2);
const seen = new Set<string>();
const say = (text: string): void => void process.stdout.write(`${JSON.stringify(text)}\n`);

const server = createServer({ noDelay: true }, (socket) => {
  const from = socket.remoteAddress ?? '';
  if (!seen.has(from)) say(from);
  seen.add(from);
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.listen({ host: address, port: Number(port), backlog: 4_096 }, () => say(''));
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => undefined);
