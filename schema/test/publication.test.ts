import { expect, test } from 'vitest';

import { boxConfig, lanHosts, peerMessage, portClash, publication, readJsonValue, relayConfig } from '../src/index.ts';

const whole = { port: 80, box: 'home', to: '192.168.7.10' };
const told = (value: object): string[] => {
  const reading = readJsonValue(value, publication);
  return reading.ok ? [] : reading.sentences;
};

test('a host is an address, with a port where it is another, in one canonical text', () => {
  const read = (to: unknown): unknown => publication.parse({ ...whole, to }).to;
  expect(read('192.168.7.10:8080')).toBe('192.168.7.10:8080');
  expect(read('FD00:7:0::10')).toBe('fd00:7::10');
  expect(read(['[fd00:0:0::a]:443', '192.168.7.10'])).toEqual(['[fd00::a]:443', '192.168.7.10']);
  expect(lanHosts(['[fd00::a]:443', '192.168.7.10'], 80)).toEqual({
    4: { address: '192.168.7.10', port: 80 },
    6: { address: 'fd00::a', port: 443 },
  });
  expect(publication.parse({ ...whole, from: ['192.0.2.7', '2001:db8::/32', 'fd00::1'] })).toEqual({
    ...whole,
    protocol: 'tcp',
    from: ['192.0.2.7/32', '2001:db8::/32', 'fd00::1/128'],
    clients: 'shown',
  });
});

test('what is no host, no port or no network is a sentence', () => {
  for (const to of [
    'localhost',
    '127.0.0.1',
    '192.168.7.10:0',
    '192.168.7.10:65536',
    '192.168.7',
    '[fd00::1',
    'fe80::1',
  ]) {
    expect(told({ ...whole, to }), to).not.toEqual([]);
  }
  expect(told({ ...whole, to: ['192.168.7.10', '192.168.7.11'] })).toEqual([
    'to: 192.168.7.10 and 192.168.7.11 are of one family: one of each is taken',
  ]);
  expect(told({ ...whole, port: 70_000 }).join()).toContain('port');
  expect(told({ ...whole, protocol: 'sctp' }).join()).toContain('protocol');
  expect(told({ ...whole, from: ['192.0.2.7/24'] }).join()).toContain('bits are set behind the prefix');
});

const port = (number: number, protocol: 'tcp' | 'udp' | 'both'): Parameters<typeof portClash>[0] => ({
  port: number,
  protocol,
});

test('ports clash where number and a protocol are the same', () => {
  expect(portClash(port(80, 'both'), port(80, 'udp'))).toBe('UDP port 80');
  expect(portClash(port(80, 'both'), port(80, 'both'))).toBe('TCP port 80');
  expect(portClash(port(80, 'tcp'), port(80, 'udp'))).toBeUndefined();
  expect(portClash(port(80, 'tcp'), port(81, 'tcp'))).toBeUndefined();
});

const faults = (config: object): string[] => {
  const reading = readJsonValue(config, relayConfig);
  return reading.ok ? [] : reading.sentences;
};

test('relay.yaml publishes a port once, never its own, and UDP only with the tunnel', () => {
  expect(faults({ publish: [whole, { ...whole, protocol: 'udp' }] })).toEqual([]);
  expect(faults({ publish: [whole, { ...whole, protocol: 'both' }] })).toEqual([
    'publish.1.port: TCP port 80 is published twice',
  ]);
  expect(faults({ listen: { port: 80 }, publish: [whole] })).toEqual([
    "publish.0.port: TCP port 80 is the relay's own",
  ]);
  expect(faults({ tunnel: false, publish: [{ ...whole, protocol: 'both' }] })).toEqual([
    'publish.0.protocol: UDP needs the tunnel, which is switched off ("tunnel: false")',
  ]);
});

test('box.yaml says who may be published', () => {
  const base = { uplinks: [{ name: 'dsl', interface: 'wan1' }], lan: { interfaces: ['lan0'] } };
  expect(boxConfig.parse(base).publishable).toBe('lan');
  expect(boxConfig.parse({ ...base, publishable: ['192.168.7.10', 'fd00::/64'] }).publishable).toHaveLength(2);
  expect(boxConfig.safeParse({ ...base, publishable: ['127.0.0.1'] }).success).toBe(false);
});

test('the daemons tell each other of it; what is malformed is nothing', () => {
  const ports = [{ protocol: 'udp', port: 5060, to: ['192.168.7.10:5060'], from: [] }];
  expect(peerMessage.parse({ kind: 'published', ports })).toEqual({
    kind: 'published',
    ports: [{ ...ports[0], clients: 'shown' }],
  });
  expect(peerMessage.safeParse({ kind: 'published', ports: [{ ...ports[0], to: ['x; drop'] }] }).success).toBe(false);
  expect(peerMessage.parse({ kind: 'lan', networks: ['192.168.7.0/24'] })).toMatchObject({ kind: 'lan' });
  expect(peerMessage.safeParse({ kind: 'lan', networks: ['192.168.7.0/24; x'] }).success).toBe(false);
});

test('relay.yaml has one route a box, and no network in two places', () => {
  const route = { box: 'home', networks: ['10.20.0.0/16'], lan: ['192.168.7.0/24'] };
  expect(faults({ routes: [route, { box: 'office', networks: ['10.20.0.0/16'] }] })).toEqual([]);
  expect(faults({ routes: [route, { box: 'home', networks: ['10.30.0.0/16'] }] })).toEqual([
    'routes.1.box: two routes are for the box "home"',
  ]);
  expect(faults({ routes: [route, { box: 'office', networks: ['10.30.0.0/16'], lan: ['192.168.0.0/16'] }] })).toEqual([
    'routes.1.lan: 192.168.7.0/24 would be in two places',
  ]);
  expect(faults({ routes: [{ ...route, lan: ['10.20.7.0/24'] }] })).toEqual([
    'routes.0.lan: 10.20.0.0/16 would be in two places',
  ]);
});
