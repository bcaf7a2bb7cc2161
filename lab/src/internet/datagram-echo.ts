import { createSocket } from 'node:dgram';

/**
 * Started by the runner inside the LAN host's namespace: `node datagram-echo.ts ADDRESS PORT`. Answers each datagram with the address it came from. Says `ready` on stdout when
 * it listens. Ends when its stdin does.
 */
const [address = '', port = ''] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');

socket.on('message', (_, from) => socket.send(from.address, from.port, from.address));
socket.on('error', () => undefined);
socket.bind(Number(port), address, () => process.stdout.write('ready\n'));
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => undefined);
