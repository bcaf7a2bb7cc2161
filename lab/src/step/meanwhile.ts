import { monotonicMs } from '@tresse/sys';

import type { DirectionName } from '../emulator/index.ts';
import { type Asked, Asking, wellAfterMs } from '../measure/asking.ts';
import { LineWatch } from '../measure/line-watch.ts';
import { isDirect, isRelay } from '../network/addresses.ts';
import { pause } from '../process/in-turn.ts';
import type { Product } from '../product/product.ts';
import type { AskedFigures, StepReport } from '../report/report.ts';
import type { StepEvent, StepLimits } from '../scenario/scenario.ts';
import type { Stage } from '../stage.ts';
import { type DoneEvent, StepEvents } from './step-events.ts';

const sampleMs = 20;
/** Of a request asked meanwhile. */
const askedBytes = 100;

/** What goes on beside a step's own work. */
export interface MeanwhileOrder {
  /** Unique in the run. */
  readonly id: string;
  readonly events: readonly StepEvent[];
  readonly direction: DirectionName;
  readonly bytes: number;
  readonly askEveryMs: number | undefined;
  readonly limits: StepLimits;
  readonly onEvent: (event: DoneEvent) => void;
}

/** Watching the lines, carrying out events, and asking: all that goes on while a step does its work. */
export class Meanwhile {
  readonly watch: LineWatch;
  readonly events: StepEvents;
  readonly #asking: Asking | undefined;
  readonly #askForMs: number;

  private constructor(stage: Stage, product: Product, order: MeanwhileOrder) {
    const { names, emulator, operators, lines, server, content } = stage;
    this.watch = new LineWatch(
      emulator,
      lines.map((line) => line.name),
    );
    this.events = new StepEvents(
      { names, emulator, operators, product, lines, watch: this.watch, onEvent: order.onEvent },
      order,
    );
    const { askEveryMs, limits } = order;
    this.#askForMs = Math.max(limits.answeredMsMax ?? 0, limits.viaRelayMsMax ?? 0, limits.directMsMax ?? 0);
    if (askEveryMs !== undefined) {
      const prefix = `ask-${order.id}`;
      this.#asking = new Asking(names.lan, server, { everyMs: askEveryMs, prefix, bytes: askedBytes, content });
    }
  }

  /** What was done so far, for the report. */
  get happened(): StepReport['events'] {
    return this.events.done.map(({ atSeconds, text }) => ({ atSeconds, text }));
  }

  static async begin(stage: Stage, product: Product, order: MeanwhileOrder): Promise<Meanwhile> {
    const meanwhile = new Meanwhile(stage, product, order);
    await meanwhile.watch.begin(order.direction, sampleMs);
    meanwhile.events.begin();
    return meanwhile;
  }

  /** Ends all of it, once it has been asked for as long after the last event as the limits allow. Returns what was asked. Throws what an event threw. */
  async end(): Promise<AskedFigures | undefined> {
    await this.watch.end();
    await this.events.settle();
    const restMs = (this.events.done.at(-1)?.atMs ?? 0) + this.#askForMs - monotonicMs();
    if (this.#asking !== undefined && restMs > 0) await pause(restMs);
    // What is still open is answered or not by the network as the events left it.
    const asked = await this.#asking?.end();
    await this.events.end();
    return asked === undefined ? undefined : askedFigures(asked, this.events.done.at(-1)?.atMs ?? 0);
  }
}

/** `sinceMs`: the last event. */
function askedFigures(asked: readonly Asked[], sinceMs: number): AskedFigures {
  const answered = asked.filter((one) => one.answeredMs !== null);
  return {
    asked: asked.length,
    answered: answered.length,
    viaRelay: answered.filter((one) => isRelay(one.from)).length,
    direct: answered.filter((one) => isDirect(one.from)).length,
    answeredMs: wellAfterMs(asked, sinceMs, () => true),
    viaRelayMs: wellAfterMs(asked, sinceMs, isRelay),
    directMs: wellAfterMs(asked, sinceMs, isDirect),
  };
}
