/**
 * Started by the runner inside the internet host's namespace: `probe-server.ts dns|echo|raw FAMILY [PROTOCOL]`. Answers what probes ask: a DNS
 * query by as long an answer as it allows, everything else by itself. Prints a line when it listens; ends when its standard input does.
 */
import { createSocket } from 'node:dgram';

import { dnsAnswer } from '../clients/dns-message.ts';
import { probePorts, RawPort } from '../clients/raw-port.ts';

const [kind = '', family = '4', protocol = ''] = process.argv.slice(2);
const listening = (): void => void process.stdout.write('listening\n');

if (kind === 'raw') {
  const port = new RawPort(family === '6' ? 6 : 4, Number(protocol), (payload) => port.answer(payload));
  listening();
} else {
  const socket = createSocket(family === '6' ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
  socket.on('message', (message, from) => {
    const answer = kind === 'dns' ? dnsAnswer(message) : message;
    if (answer) socket.send(answer, from.port, from.address);
  });
  socket.bind(kind === 'dns' ? probePorts.dns : probePorts.echo, () => {
    // From now on it can only be a client that is gone already.
    socket.on('error', () => undefined);
    listening();
  });
}
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGINT', () => undefined);
