import { monotonicMs } from '@tresse/sys';

import { drawSizes, loadPage } from '../measure/page.ts';
import { lineAddresses } from '../network/addresses.ts';
import { bytesText } from '../report/figures.ts';
import { openDirectRoute } from '../rivals/direct-routes.ts';
import type { PageStep } from '../scenario/page-step.ts';
import { blankReport } from './blank-report.ts';
import { pairChecks, pairFigures } from './pair-figures.ts';
import { bestLine, inPairs } from './pairs.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

/** Loads the page in pairs, by Tresse and directly. The direct client runs in the box itself, where Tresse does not take its connections. */
export async function playPage({ stage, show }: StepScene, step: PageStep, index: number): Promise<PlayedStep> {
  const label = step.name ?? step.kind;
  const { names, lines, server, content, folder } = stage;
  show.phase(label);
  const sizes = drawSizes(step, stage.seed);
  const what = `${sizes.length} objects, ${bytesText(sizes.reduce((sum, bytes) => sum + bytes, 0))}`;
  const line = bestLine(lines, 'down');
  const from = lineAddresses(lines, line).box;
  const page = { server, content, folder, sizes, hosts: step.hosts, parallel: step.parallel };
  const beganMs = monotonicMs();
  const close = await openDirectRoute(stage, line);
  try {
    const pairs = await inPairs(
      step.count,
      (i) => loadPage({ ...page, id: `page-${index}-${i}-bonded`, netns: names.lan }),
      (i) => loadPage({ ...page, id: `page-${index}-${i}-direct`, netns: names.box, from }),
    );
    const figures = pairFigures(what, pairs);
    show.say(`${label}, ${what}: ${figures.medianOfDirect.toFixed(3)} of the direct time`);
    const report = { ...blankReport('page', label, (monotonicMs() - beganMs) / 1_000), pairs: [figures] };
    return { report, checks: pairChecks(label, figures, pairs, step.limits) };
  } finally {
    await close();
  }
}
