/**
 * What one plain TCP connection of the kernel's (bbr, as the strands have it) makes of a line: recorded here, so that the simulator's
 * model of it can be held against the figures anywhere. The file names the lines; the figures are written into it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';

import { SystemError } from '@tresse/kit';
import { z } from 'zod';

import { type OpenLab, withLab } from '../lab.ts';
import { timed } from '../measure/extent.ts';
import { beginTransfer, type Transfer } from '../measure/transfer.ts';
import { lanHostOf } from '../network/addresses.ts';
import { inTurn } from '../process/in-turn.ts';
import { openDirectRoutes } from '../rivals/direct-routes.ts';
import { groupsOf } from '../rivals/singles.ts';
import type { LineSpec } from '../scenario/scenario.ts';
import { setStage, type Stage, strikeStage } from '../stage.ts';

const lineShape = z.strictObject({
  rateBps: z.number(),
  delayMs: z.number(),
  jitterMs: z.number(),
  lossRatio: z.number(),
  queueMs: z.number(),
  reorderRatio: z.number().default(0),
  reorderMs: z.number().default(0),
});

const figuresShape = z.strictObject({
  kernel: z.string(),
  congestionControl: z.string(),
  seconds: z.number(),
  lines: z.array(
    z.strictObject({
      /** Both directions of the line; the return direction carries acknowledgements. */
      line: lineShape,
      /** One for each run: bits per second from second 1 on, bytes of the first second, longest time without a byte. */
      rateBps: z.array(z.number()),
      firstSecondBytes: z.array(z.number()),
      gapMs: z.array(z.number()),
    }),
  ),
});

type Figures = z.output<typeof figuresShape>;

/** As many lines as a stage takes. */
const linesMax = 8;

/** Measures every line of the file so often, downwards, and adds the figures to those in it. Throws TresseError. */
export async function recordStrands(file: string, runs: number): Promise<void> {
  const figures: Figures = figuresShape.parse(JSON.parse(readFileSync(file, 'utf8')));
  const before = Math.min(...figures.lines.map((entry) => entry.rateBps.length));
  const seeds = Array.from({ length: runs }, (_, run) => before + run + 1);
  await withLab(async (lab) => {
    await inTurn(seeds, async (seed) => {
      await inTurn(inStages(figures.lines), async (entries) => {
        lab.interruption.check();
        lab.show.phase(`lines alone, run ${seed}`);
        await onStage(lab, seed, figures, entries);
      });
      writeFileSync(file, `${JSON.stringify({ ...figures, kernel: release() }, undefined, 1)}\n`);
    });
  });
}

function inStages(lines: Figures['lines']): Figures['lines'][] {
  const count = Math.ceil(lines.length / linesMax);
  return Array.from({ length: count }, (_, i) => lines.slice(i * linesMax, (i + 1) * linesMax));
}

async function onStage(lab: OpenLab, seed: number, figures: Figures, entries: Figures['lines']): Promise<void> {
  const { names, folder, show } = lab;
  const lines = entries.map(({ line }, i): LineSpec => ({ name: `wan${i + 1}`, kind: 'other', down: line, up: line }));
  const stage = await setStage({ names, lines, seed, folder, onFault: (sentence) => show.say(sentence) });
  try {
    figures.congestionControl = stage.internet.congestion.name;
    await measure(stage, figures.seconds, entries);
  } finally {
    await strikeStage(stage);
  }
}

async function measure(stage: Stage, seconds: number, entries: Figures['lines']): Promise<void> {
  const close = await openDirectRoutes(stage);
  await inTurn(groupsOf(stage.lines), async (group) => {
    const seen = await Promise.all(group.map((i) => alone(stage, i, seconds)));
    for (const [k, i] of group.entries()) {
      const entry = entries[i];
      const of = seen[k];
      if (!entry || !of) continue;
      const firstMs = of.arrivals.firstMs ?? 0;
      entry.rateBps.push(Math.round(of.arrivals.rateFromBps(firstMs + 1_000)));
      entry.firstSecondBytes.push(of.arrivals.bytesAt(firstMs + 1_000));
      entry.gapMs.push(Math.round(of.arrivals.longestGap().ms));
    }
  });
  await close();
}

async function alone(stage: Stage, i: number, seconds: number): Promise<Transfer> {
  const transfer = await beginTransfer({
    kind: 'download',
    id: `strand-${i}`,
    netns: stage.names.lan,
    server: stage.server,
    from: lanHostOf(i),
    ...timed(stage, 'down', seconds),
  }).outcome;
  if (transfer.arrivals.bytes > 0) return transfer;
  throw new SystemError('SINGLE', `line ${i + 1} carried nothing: ${transfer.complaint}`);
}
