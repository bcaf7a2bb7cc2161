import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { openStateDirectory, type StateDirectory } from '@tresse/daemon';
import { publication, type Publication, relayConfig } from '@tresse/schema';
import { afterEach, expect, test } from 'vitest';

import { PublicationList } from '../src/publication-list.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function directory(): StateDirectory {
  const folder = mkdtempSync(join(tmpdir(), 'tresse-published-'));
  ends.push(() => rmSync(folder, { recursive: true, force: true }));
  return openStateDirectory(folder);
}

/** Boxes by name; their pins are the names in capitals. */
function list(state: StateDirectory, given: object = {}, boxes = ['home', 'office']): PublicationList {
  return new PublicationList(relayConfig.parse(given), state, {
    pinOf: (name) => (boxes.includes(name) ? name.toUpperCase() : undefined),
    nameOf: (pin) => boxes.find((one) => one.toUpperCase() === pin) ?? pin,
  });
}

const wish = (port: number, protocol: string, changes: object = {}): Publication =>
  publication.parse({ port, protocol, box: 'home', to: '192.168.77.2', ...changes });
const add = (ports: PublicationList, wanted: Publication): void => ports.add(ports.requireFree(wanted));
const names = (ports: PublicationList): string[] =>
  ports.all().map((one) => `${one.protocol} ${one.port} ${one.box} ${one.origin}`);

test('what the command publishes is there after a restart, protocol by protocol, under the name the box has then', () => {
  const state = directory();
  const ports = list(state);
  add(ports, wish(80, 'both', { to: ['192.168.77.2:8080', 'fd77::2'], from: ['192.0.2.1', '2001:db8::/32'] }));
  const again = new PublicationList(relayConfig.parse({}), state, { pinOf: () => undefined, nameOf: () => 'house' });
  const common = {
    port: 80,
    box: 'house',
    pin: 'HOME',
    to: ['192.168.77.2:8080', 'fd77::2'],
    origin: 'command',
    clients: 'shown',
  };
  expect(again.all()).toEqual([
    { ...common, protocol: 'tcp', from: ['192.0.2.1/32', '2001:db8::/32'] },
    { ...common, protocol: 'udp', from: ['192.0.2.1/32', '2001:db8::/32'] },
  ]);
  ports.remove({ port: 80, protocol: 'tcp' });
  expect(names(list(state))).toEqual(['udp 80 home command']);
  ports.forget('HOME');
  expect(names(list(state))).toEqual([]);
});

test('what clashes is refused in a sentence, and nothing is noted', () => {
  const state = directory();
  const ports = list(state, { publish: [{ port: 80, protocol: 'both', box: 'office', to: '192.168.78.2' }] });
  add(ports, wish(81, 'udp'));
  for (const [wanted, sentence] of [
    [wish(80, 'tcp'), 'TCP port 80 leads to 192.168.78.2 of office already, as relay.yaml says.'],
    [wish(81, 'both'), 'UDP port 81 leads to 192.168.77.2 of home already: "tresse relay unpublish 81" takes it back.'],
    [wish(7443, 'udp'), "UDP port 7443 is the relay's own: choose another one."],
    [wish(82, 'tcp', { box: 'cellar' }), 'No box is called "cellar": "tresse relay boxes" lists them.'],
  ] as const) {
    expect(() => ports.requireFree(wanted)).toThrow(sentence);
  }
  add(ports, wish(81, 'tcp'));
  expect(() => list(state, { tunnel: false }).requireFree(wish(83, 'udp'))).toThrow(
    'UDP is published through the tunnel',
  );
  // Without the tunnel that number of UDP is nobody's.
  expect(() => list(state, { tunnel: false }).requireFree(wish(7443, 'tcp'))).toThrow(
    "TCP port 7443 is the relay's own",
  );
  expect(() => ports.remove({ port: 80, protocol: 'udp' })).toThrow('UDP port 80 stands in relay.yaml');
  expect(() => ports.remove({ port: 90, protocol: 'both' })).toThrow('TCP port 90 or UDP port 90 is not published');
  expect(names(list(state))).toEqual(['udp 81 home command', 'tcp 81 home command']);
});

test('relay.yaml goes before what the command has published earlier; a box it does not know waits for its name', () => {
  const state = directory();
  add(list(state), wish(80, 'tcp'));
  const ports = list(state, { publish: [{ port: 80, box: 'cellar', to: '192.168.79.2' }] });
  expect(ports.all()).toMatchObject([{ box: 'cellar', pin: undefined, origin: 'configured' }]);
  expect(names(list(state))).toEqual(['tcp 80 home command']);
});

test('a damaged file is a sentence, and so is too much', () => {
  const state = directory();
  const ports = list(state);
  for (let port = 1000; port < 1256; port++) add(ports, wish(port, 'tcp'));
  expect(() => ports.requireFree(wish(2000, 'tcp'))).toThrow('256 ports are published already');
  writeFileSync(state.file('published.json'), '{');
  expect(() => list(state)).toThrow('published.json is damaged: put it back from a copy');
});
