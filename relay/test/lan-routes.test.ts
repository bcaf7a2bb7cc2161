import { expect, test } from 'vitest';

import { LanRoutes } from '../src/lan-routes.ts';

const configured = [
  { box: 'home', networks: ['10.20.0.0/16'], lan: ['192.168.7.0/24', 'fd07::/64'] },
  { box: 'office', networks: ['10.20.0.0/16', '10.30.0.0/16'], lan: [] },
  { box: 'cellar', networks: ['10.40.0.0/16'], lan: ['192.168.9.0/24'] },
];
const inner = { ipv4: '100.127.0.2', ipv6: 'fd00::2' };

function routes(): LanRoutes {
  return new LanRoutes(configured, { pinOf: (name) => ({ home: 'H', office: 'O' })[name] });
}

test('a route holds as far as both allow it', () => {
  const some = routes();
  expect(some.noteArrival('H', 1, inner)).toBe(true);
  expect(some.noteArrival('H', 1, inner)).toBe(false);
  expect(some.noteArrival('stranger', 1, inner)).toBe(false);
  const home = { peer: 'H', networks: ['10.20.0.0/16'] };
  const office = { peer: 'O', networks: ['10.20.0.0/16', '10.30.0.0/16'], lan: [] };
  expect(some.forEngine()).toEqual([{ ...home, lan: [] }, office]);
  expect(some.noteReachable('H', ['192.168.0.0/16', 'fd07::/80'])).toBe(true);
  expect(some.noteReachable('H', ['192.168.0.0/16', 'fd07::/80'])).toBe(false);
  expect(some.forEngine()).toEqual([{ ...home, lan: ['192.168.7.0/24'] }, office]);
  expect(some.forKernel()).toEqual([
    {
      device: 'tresse-r1',
      inner: { 4: '100.127.0.2', 6: 'fd00::2' },
      networks: ['10.20.0.0/16'],
      lan: ['192.168.7.0/24'],
    },
  ]);
  some.forget('H');
  expect(some.forKernel()).toEqual([]);
});

test('boxes hear of theirs, and the status says what is not so', () => {
  const some = routes();
  expect(some.networks).toEqual(['10.20.0.0/16', '10.30.0.0/16', '10.40.0.0/16']);
  expect(some.messageFor('O')).toEqual({ kind: 'routes', networks: ['10.20.0.0/16', '10.30.0.0/16'] });
  expect(some.messageFor('X')).toEqual({ kind: 'routes', networks: [] });
  some.noteReachable('H', ['192.168.7.0/24']);
  expect(some.status(new Set(['H'])).map(({ box, lan, faults }) => [box, lan, faults])).toEqual([
    ['home', ['192.168.7.0/24'], ['fd07::/64 is not reached: "reachable" in box.yaml of home does not name it']],
    ['office', [], ['the box office is not connected']],
    ['cellar', [], ['no box is called "cellar"']],
  ]);
});
