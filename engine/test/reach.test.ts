import type { Session } from '@tresse/core';
import { expect, test } from 'vitest';

import { Reach } from '../src/worker/reach.ts';

/**
 * A session of strands that have been silent for so long, ms, with something to be answered; a negative number is one that
 * was never answered itself. The last records came at `recordHeardMs`. To TCP all is well where it is `acknowledged`.
 */
function session(silences: readonly number[], suspect = false, recordHeardMs = 0, acknowledged = false): Session {
  const strands = new Map(
    silences.map((ms, id) => [
      id,
      {
        path: 1,
        state: ms < 0 ? 'opening' : 'answered',
        suspect,
        rttMs: 40,
        recordHeardMs,
        silentMs: () => (acknowledged ? 0 : ms),
        unansweredMs: () => ms,
      },
    ]),
  );
  return { strands, paths: new Map([[1, { up: true, suspect, rttMs: 40 }]]) } as unknown as Session;
}

test('what proxies acknowledge for a relay that is gone proves nothing', () => {
  const reach = new Reach(0);
  reach.update(session([0]), 10_000);
  expect(reach.state).toBe('yes');
  reach.update(session([600, 700], false, 10_000, true), 10_600);
  expect(reach.state).toBe('doubtful');
  reach.update(session([3_100, 3_000], false, 10_000, true), 13_000);
  expect(reach.state).toBe('no');
});

test('at the start the relay has three seconds', () => {
  const reach = new Reach(1_000);
  expect(reach.update(undefined, 1_100)).toBe(false);
  expect(reach.state).toBe('doubtful');
  expect(reach.update(undefined, 3_900)).toBe(false);
  expect(reach.update(undefined, 4_000)).toBe(true);
  expect(reach.state).toBe('no');
  expect(reach.evidence(4_000)).toBe('no connection to the relay stands, for 3.0 s');
});

test('a handshake counts, an answered strand keeps it', () => {
  const reach = new Reach(0);
  reach.update(undefined, 5_000);
  expect(reach.state).toBe('no');
  reach.saw(5_100);
  expect(reach.update(session([-1]), 5_100)).toBe(true);
  expect(reach.state).toBe('yes');
  expect(reach.update(session([-1]), 5_700)).toBe(false);
  expect(reach.state).toBe('doubtful');
  reach.update(session([0]), 6_000);
  expect(reach.state).toBe('yes');
});

test('silence is doubt at first, and the end after three seconds; one strand that is heard is enough', () => {
  const reach = new Reach(0);
  reach.update(session([0]), 10_000);
  expect(reach.state).toBe('yes');
  reach.update(session([600, 700]), 10_600);
  expect(reach.state).toBe('doubtful');
  reach.update(session([1_000, 20]), 11_000);
  expect(reach.state).toBe('yes');
  reach.update(session([2_500, 2_020]), 13_000);
  expect(reach.state).toBe('doubtful');
  expect(reach.update(session([3_500, 3_020]), 14_000)).toBe(true);
  expect(reach.state).toBe('no');
  expect(reach.evidence(14_000)).toContain(
    '2 connections to the relay wait for an answer, the last one came 3.0 s ago',
  );
  expect(reach.update(session([4_500, 10]), 15_000)).toBe(true);
  expect(reach.state).toBe('yes');
});

test('strands with nothing to be answered prove nothing, and do not outvote one that waits', () => {
  const reach = new Reach(0);
  reach.update(session([0, 0]), 60_000);
  expect(reach.state).toBe('yes');
  reach.update(session([600, 0], false, 59_000), 60_700);
  expect(reach.state).toBe('doubtful');
  reach.update(session([3_100, 0], false, 59_000), 63_200);
  expect(reach.state).toBe('no');
});

test('a suspect path is no witness', () => {
  const reach = new Reach(0);
  reach.update(session([0]), 1_000);
  reach.update(session([0], true), 4_000);
  expect(reach.state).toBe('no');
});
