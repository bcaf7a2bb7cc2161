import { bindAddress, listen, setReuseAddress, setTransparent, tcpSocket } from '@tresse/sys';

import { splice } from './splice.ts';

/** Started by the runner inside an operator's namespace: `node main.ts PORT`. Says `listening`; dies at the word `die`; ends when its stdin does. */
const proxy = splice();
const fd = tcpSocket(4);
setReuseAddress(fd);
setTransparent(fd, 4);
bindAddress(fd, '0.0.0.0', Number(process.argv[2]));
listen(fd, 128);
proxy.server.listen({ fd }, () => process.stdout.write('listening\n'));
process.stdin.setEncoding('utf8').on('data', (text) => {
  if (String(text).includes('die')) {
    proxy.die();
    process.stdout.write('dead\n');
  }
});
process.stdin.on('end', () => process.exit(0));
// Ctrl-C reaches the whole terminal; the runner ends this process itself.
process.on('SIGINT', () => undefined);
