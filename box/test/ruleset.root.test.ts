import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { readTable } from '@tresse/plan';
import { nftApply, run, runJson } from '@tresse/sys';
import { afterAll, beforeAll, expect, test } from 'vitest';

const netns = `trules${process.pid}`;
const goldens = globSync(join(import.meta.dirname, '../../plan/test/golden/*.txt')).filter((path) =>
  readFileSync(path, 'utf8').includes('# nft\n'),
);

beforeAll(async () => {
  await run(['ip', 'netns', 'add', netns]);
});
afterAll(async () => {
  await run(['ip', 'netns', 'del', netns]);
});

test.each(goldens.map((path) => [basename(path), path]))(
  'the kernel takes the ruleset of %s, again in place of itself, and it is read back by its fingerprint',
  async (_, path) => {
    const text = readFileSync(path, 'utf8').split('# nft\n')[1] ?? '';
    await nftApply(text, { netns });
    await nftApply(text, { netns });
    const answer = (await runJson(['nft', '-j', 'list', 'table', 'inet', 'tresse'], { netns })) as {
      nftables: unknown;
    };
    const held = readTable(answer.nftables);
    expect(text).toContain(`comment "${held?.fingerprint}"`);
    expect(held?.ruleCount).toBeGreaterThan(8);
  },
);
