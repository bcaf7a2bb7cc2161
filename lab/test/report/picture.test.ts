import { expect, test } from 'vitest';

import { LiveShow } from '../../src/report/live-show.ts';
import { bar, drawPicture, type PictureState } from '../../src/report/picture.ts';

const spec = (name: string, rateBps: number): PictureState['lines'][number]['spec'] => {
  const direction = { rateBps, delayMs: 1, jitterMs: 0, lossRatio: 0, queueMs: 100 };
  return { name, kind: 'fibre', down: direction, up: direction };
};

const state: PictureState = {
  title: 'household: three lines',
  phase: 'download',
  lines: [
    { spec: spec('wan1', 8e6), trouble: '', downBps: 4e6, upBps: 0 },
    { spec: spec('wan2', 100e6), trouble: 'silent', downBps: 0, upBps: 0 },
  ],
  progress: { bytes: 110_000_000, of: 220_000_000 },
  events: ['one', 'two', 'three', 'four', 'five'],
};

test('a bar is filled to the ratio, in eighths', () => {
  expect(bar(0, 4)).toBe('░░░░');
  expect(bar(0.5, 4)).toBe('██░░');
  expect(bar(1, 4)).toBe('████');
  expect(bar(7, 4)).toBe('████');
  expect(bar(-1, 4)).toBe('░░░░');
  expect(Array.from(bar(1 / 32, 4))).toHaveLength(4);
});

test('shows lines, total, progress and the newest events', () => {
  const picture = drawPicture(state, 120).join('\n');
  expect(picture).toContain('wan1  fibre  ↓ ██████████████░');
  expect(picture).toContain('wan2  fibre  ╳ silent');
  expect(picture).toMatch(/total .* 4\.0 Mbit\/s/u);
  expect(picture).toContain('110 MB of 220 MB, 50 %');
  expect(picture).not.toContain('· one');
  expect(picture).toContain('· five');
});

test('is never wider than the terminal', () => {
  for (const line of drawPicture(state, 40)) expect(Array.from(line).length).toBeLessThanOrEqual(40);
});

test('draws over itself, and what is said stays above', () => {
  const written: string[] = [];
  const show = new LiveShow({ columns: 100, write: (text: string) => written.push(text) });
  show.begin('t', [spec('wan1', 8e6)]);
  const drawn = (written.at(-1) ?? '').split('\n').length - 1;
  show.carried(0, [{ down: 0, up: 0 }]);
  show.carried(1_000, [{ down: 1_000_000, up: 0 }]);
  expect(written.at(-1)).toContain(`\u001B[${drawn}A`);
  expect(written.at(-1)).toContain('8.0 Mbit/s');
  show.say('stays');
  expect(written.at(-1)).not.toContain('[1A');
  show.end();
  expect(written.at(-1)).toContain('?25h');
});
