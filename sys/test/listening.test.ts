import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { expect, test } from 'vitest';

import { listeningPorts } from '../src/index.ts';

test.each(['127.0.0.1', '::1'])('a port listened on at %s is found, and gone when it is closed', async (host) => {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(listeningPorts()).toContain(port);
  server.close();
  await once(server, 'close');
  expect(listeningPorts()).not.toContain(port);
});
