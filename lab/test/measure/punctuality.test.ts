import { expect, test } from 'vitest';

import type { Emulator } from '../../src/emulator/index.ts';
import { Punctuality } from '../../src/measure/punctuality.ts';

function counted([deliveredPackets, unpunctualPackets]: [number, number]): object {
  return { deliveredPackets, unpunctualPackets };
}

/** An emulator of one line that has counted so much by now: delivered and unpunctual packets, down and up. */
function emulatorOf(...readings: [down: [number, number], up: [number, number]][]): Pick<Emulator, 'counters'> {
  return {
    counters: () => {
      const [down, up] = readings.shift()!;
      return Promise.resolve([{ name: 'a', down: counted(down), up: counted(up) }] as never);
    },
  };
}

test('counts what was late since it began, both ways', async () => {
  const punctuality = await Punctuality.begin(
    emulatorOf(
      [
        [100, 50],
        [10, 10],
      ],
      [
        [1_000, 59],
        [110, 11],
      ],
    ),
  );
  expect(await punctuality.ratio()).toBeCloseTo(10 / 1_000);
});

test('nothing was late where nothing was carried', async () => {
  const punctuality = await Punctuality.begin(
    emulatorOf(
      [
        [100, 50],
        [10, 10],
      ],
      [
        [100, 50],
        [10, 10],
      ],
    ),
  );
  expect(await punctuality.ratio()).toBe(0);
});
