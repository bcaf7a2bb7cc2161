import { fileServer } from './file-server.ts';
import type { ServerNote } from './server-notes.ts';

/** Started by the runner inside the internet host's namespace: `node main.ts ADDRESS PORT SEED`. Ends when its stdin does. */
const [address = '', port = '', seed = ''] = process.argv.slice(2);

function note(said: ServerNote): void {
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

const server = fileServer(Number(seed), note);
server.listen(Number(port), address, () => note({ kind: 'listening' }));
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
// Ctrl-C reaches the whole terminal; the runner still wants its figures and ends this process itself.
process.on('SIGINT', () => undefined);
