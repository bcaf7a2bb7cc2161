import type { Interruption } from '../interruption.ts';
import { rateText } from '../report/figures.ts';
import type { Show } from '../report/show.ts';
import type { Step } from '../scenario/scenario.ts';
import type { Stage } from '../stage.ts';
import { openDirectRoutes } from './direct-routes.ts';
import { measureMultipath, type MultipathFigures, type MultipathOrder } from './multipath-rival.ts';
import type { RivalSettings } from './rivals.ts';
import { measureSingles, type Single } from './singles.ts';

/** What was measured without Tresse. */
export interface RivalFigures {
  readonly singles: Single[];
  readonly sum: { downBitsPerSecond: number; upBitsPerSecond: number };
  readonly mptcp: { down?: MultipathFigures; up?: MultipathFigures } | null;
  readonly mptcpNote: string;
}

/** Measures every line alone, then kernel MPTCP over all of them. Throws SystemError, and UserError `INTERRUPTED`. */
export async function measureRivals(
  stage: Stage,
  settings: RivalSettings,
  how: { together: boolean; steps: readonly Step[]; show: Show; interruption: Interruption },
): Promise<RivalFigures> {
  const { show, interruption } = how;
  const close = await openDirectRoutes(stage);
  try {
    const singles = await measureSingles(stage, settings, {
      together: how.together,
      onBegin: (uplinks, direction) => {
        interruption.check();
        show.phase(`${uplinks.join(', ')} alone, ${direction}`);
      },
    });
    const sum = {
      downBitsPerSecond: singles.reduce((total, s) => total + s.downBitsPerSecond, 0),
      upBitsPerSecond: singles.reduce((total, s) => total + s.upBitsPerSecond, 0),
    };
    show.say(`lines alone: ${rateText(sum.downBitsPerSecond)} down, ${rateText(sum.upBitsPerSecond)} up in sum`);
    if ('why' in stage.multipath) {
      show.say(`kernel MPTCP: ${stage.multipath.why}`);
      return { singles, sum, mptcp: null, mptcpNote: stage.multipath.why };
    }
    const mptcp = await measureMultipath(
      stage,
      stage.multipath.server,
      settings,
      multipathOrder(how.steps),
      (direction) => {
        interruption.check();
        show.phase(`kernel MPTCP over all lines, ${direction}`);
      },
    );
    const said = (['down', 'up'] as const).flatMap((d) =>
      mptcp[d] ? [`${rateText(mptcp[d].goodputBitsPerSecond)} ${d}`] : [],
    );
    show.say(`kernel MPTCP: ${said.join(', ')}`);
    return { singles, sum, mptcp, mptcpNote: '' };
  } finally {
    // After an interruption there may be nothing left to close.
    await close().catch((error: unknown) => {
      if (!interruption.came) throw error;
    });
  }
}

/** The ways the steps go; where one is held against the rival, the very same bytes. */
export function multipathOrder(steps: readonly Step[]): MultipathOrder {
  const order: MultipathOrder = {};
  for (const [direction, kind] of [
    ['down', 'download'],
    ['up', 'upload'],
  ] as const) {
    const same = steps.flatMap((step) => (step.kind === kind ? [step] : []));
    if (same.length === 0) continue;
    const held = same.find((step) => step.limits.wholeSecondsOfMptcpMax ?? step.limits.ofMptcpMin);
    order[direction] = { bytes: held?.bytes };
  }
  return order;
}
