import type { Show } from '../report/show.ts';
import type { StepEvent } from '../scenario/scenario.ts';
import { Meanwhile } from './meanwhile.ts';
import type { StepScene } from './play-step.ts';
import type { DoneEvent } from './step-events.ts';

/** Carries out events beside a step that does something of its own, whose first byte is now; `id` is unique in the run. The caller ends it. */
export async function beginEvents(
  { stage, product, show }: StepScene,
  events: readonly StepEvent[],
  id: string,
): Promise<Meanwhile> {
  return await Meanwhile.begin(stage, product, {
    id,
    events,
    direction: 'down',
    bytes: 0,
    askEveryMs: undefined,
    limits: {},
    onEvent: (event) => showEvent(show, event),
  });
}

/** Shows what was done to a line. */
export function showEvent(show: Show, event: DoneEvent): void {
  show.event(event.line, troubleOf(event), `${event.atSeconds.toFixed(1)} s: ${event.text}`);
}

/** What is wrong with a line after the event; empty where nothing is. */
function troubleOf({ effect }: DoneEvent): string {
  return effect === 'returned' || effect === 'changed' ? '' : effect;
}
