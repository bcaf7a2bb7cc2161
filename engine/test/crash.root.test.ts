/** A box's data plane that dies in mid-transfer, and targets a relay must not lead to, through a whole bond. */
import { createServer, type Server } from 'node:http';

import { CommandError, inNetns, run } from '@tresse/sys';
import { afterAll, beforeAll, expect, test } from 'vitest';

import {
  type BoxEngine,
  type EngineEvents,
  type KidInstall,
  localLimits,
  type RelayEngine,
  startBoxEngine,
  startRelayEngine,
} from '../src/index.ts';
import { interceptPort, LittleInternet, relayAddress, serverAddress } from './little-internet.ts';
import { soon } from './wait.ts';

const net = new LittleInternet();
const faults: string[] = [];
let ready = 0;
const servers: Server[] = [];
let box: BoxEngine;
let relay: RelayEngine;
let asked = 0;

const events: EngineEvents = { onReady: () => {}, onLog: () => {}, onFault: (stack) => faults.push(stack) };

/** A server that says where it was reached, and drips a long answer when asked for `/slow`. */
function serve(place: 'inet' | 'relay', port: number): void {
  const server = createServer((request, response) => {
    asked++;
    response.writeHead(200, { 'content-length': request.url === '/slow' ? 1_000_000 : place.length });
    if (request.url !== '/slow') response.end(place);
    else response.write(Buffer.alloc(100_000));
  });
  inNetns(net.name(place), () => server.listen(port));
  servers.push(server);
}

/** Bytes the box has received over all lines. */
async function received(): Promise<number> {
  const paths = (await box.status()).sessions[0]?.paths ?? [];
  return paths.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
}

/** What a LAN host hears, or the status curl ends with. */
function curl(url: string): Promise<string | number> {
  return run(['curl', '-sS', '-m', '20', url], { netns: net.name('lan'), timeoutMs: 25_000 }).catch((error: unknown) =>
    error instanceof CommandError ? (error.exitCode ?? -1) : -2,
  );
}

/** No connection, or failure with receiving data: a reset, seen sooner or later. */
const reset = /^(?:7|56)$/u;

beforeAll(async () => {
  await net.build();
  serve('inet', 8_080);
  serve('relay', 8_081);
  const options = { listen: [{ address: '0.0.0.0', port: 7_443 }], allowPrivate: [], ownAddresses: [relayAddress] };
  relay = inNetns(net.name('relay'), () => startRelayEngine(options, events));
  box = inNetns(net.name('box'), () =>
    startBoxEngine({ interceptPort, mark: 0x52_0000 }, { ...events, onReady: () => void ready++ }),
  );
  await Promise.all([relay.ready, box.ready]);
  const common = { relayAddress, relayPort: 7_443, enabled: true, metered: false };
  box.setPaths([
    { ...common, path: 1, uplink: 'wan1', interface: 'wan1', localAddress: '10.0.1.2' },
    { ...common, path: 2, uplink: 'wan2', interface: 'wan2', localAddress: '10.0.2.2' },
  ]);
  const install: KidInstall = {
    kid: new Uint8Array(8).fill(1),
    secret: new Uint8Array(32).fill(1),
    cipher: 'aes-256-gcm',
    sessionKey: 'a',
    peer: 'other',
    limits: localLimits,
  };
  await relay.installKid(install);
  await box.installKid(install);
});

afterAll(async () => {
  await Promise.all([box?.stop(), relay?.stop()]);
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await net.demolish();
});

test('a server on the internet is reached; the relay itself is not, by whatever address', async () => {
  expect(await curl(`http://${serverAddress}:8080/`)).toBe('inet');
  const before = asked;
  // Named as its own; not named, for it may come while the relay runs; private; its own port.
  for (const target of [`${relayAddress}:8081`, '198.51.100.1:8081', '10.0.1.1:8081', `${relayAddress}:7443`]) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    expect(String(await curl(`http://${target}/`)), target).toMatch(reset);
  }
  expect(asked).toBe(before);
  // Where a server really listens, for those who may.
  expect(await run(['curl', '-sS', '-m', '5', 'http://198.51.100.1:8081/'], { netns: net.name('inet') })).toBe('relay');
});

test('the box’s data plane dies in mid-transfer: a reset, nothing left open, another one begins', async () => {
  const download = curl(`http://${serverAddress}:8080/slow`);
  await soon(async () => (await box.status()).sessions[0]?.streams === 1, 'the stream');
  await soon(async () => (await received()) > 50_000, 'bytes');
  // Nothing that comes from outside may do this, so the main thread does.
  box.tellPeers(undefined as never);
  expect(String(await download)).toMatch(reset);
  await soon(() => ready === 2, 'the next one');
  expect(faults).toHaveLength(1);
  expect((await box.status()).sessions).toEqual([]);
  // The relay's side of it goes when its lines have been gone for long, or with the next session.
  relay.endSession('a');
  await soon(async () => (await relay.status()).counters['memoryBytes'] === 0, 'its memory');
});
