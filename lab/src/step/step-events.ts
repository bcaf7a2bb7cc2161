import { monotonicMs } from '@tresse/sys';

import type { DirectionName } from '../emulator/index.ts';
import type { LineWatch } from '../measure/line-watch.ts';
import type { LineSpec, StepEvent } from '../scenario/scenario.ts';
import { type Act, act, type ActScene } from './event-acts.ts';

/** Something that was done during a step. */
export interface DoneEvent extends Act {
  /** Since the first byte, in seconds. */
  readonly atSeconds: number;
}

/** What events act on, and what they look at to know when. */
export interface EventScene extends ActScene {
  readonly lines: readonly LineSpec[];
  readonly watch: LineWatch;
  readonly onEvent: (event: DoneEvent) => void;
}

/** What is to happen during a step of so many bytes this way. */
export interface EventPlan {
  readonly events: readonly StepEvent[];
  readonly direction: DirectionName;
  readonly bytes: number;
}

const tickMs = 5;

/** Carries out a step's events, each when its time or its share of the bytes has come. */
export class StepEvents {
  readonly done: DoneEvent[] = [];
  readonly #scene: EventScene;
  readonly #plan: EventPlan;
  /** Lines something is wrong with, and what puts them right. */
  readonly #undo = new Map<string, () => Promise<unknown>>();
  /** The line the stream began on, once asked for: the same line to the end of the step. */
  #firstLine: string | undefined;
  #firstMs: number | undefined;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #acting: Promise<void> | undefined;
  #fault: unknown;

  constructor(scene: EventScene, plan: EventPlan) {
    this.#scene = scene;
    this.#plan = plan;
  }

  /** Bytes have arrived. */
  progress(bytes: number, firstMs: number): void {
    this.#bytes = bytes;
    this.#firstMs ??= firstMs;
  }

  begin(): void {
    this.#timer = setInterval(() => {
      this.#acting ??= this.#actIfDue()
        .catch((error: unknown) => {
          this.#fault ??= error;
          clearInterval(this.#timer);
        })
        .finally(() => (this.#acting = undefined));
    }, tickMs);
  }

  /** Stops waiting for further events; one that is being carried out is carried out. */
  async settle(): Promise<void> {
    clearInterval(this.#timer);
    await this.#acting;
  }

  /** Settles, and puts right what is still wrong with lines. Throws what an event threw. */
  async end(): Promise<void> {
    await this.settle();
    await Promise.all([...this.#undo.values()].map((undo) => undo()));
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #actIfDue(): Promise<void> {
    const event = this.#plan.events[this.done.length];
    if (event === undefined || this.#firstMs === undefined || !this.#due(event, this.#firstMs)) return;
    const line = this.#lineOf(event);
    if (line === undefined) return;
    const acted = await act(this.#scene, event, line);
    if (acted.undo) this.#undo.set(line, acted.undo);
    else if (acted.effect === 'returned') this.#undo.delete(line);
    const done = { ...acted, atSeconds: (acted.atMs - this.#firstMs) / 1_000 };
    this.done.push(done);
    this.#scene.onEvent(done);
  }

  #due(event: StepEvent, firstMs: number): boolean {
    if (event.after !== undefined) return monotonicMs() >= (this.done.at(-1)?.atMs ?? firstMs) + event.after;
    if (event.at === undefined) return false;
    return 'ms' in event.at ? monotonicMs() >= firstMs + event.at.ms : this.#bytes >= event.at.ratio * this.#plan.bytes;
  }

  /** Empty for events that are about no line; undefined while it is not known. */
  #lineOf({ line }: StepEvent): string | undefined {
    const { direction } = this.#plan;
    if (line === undefined) return '';
    if (line === 'first-bytes') return (this.#firstLine ??= this.#scene.watch.firstLine(direction));
    if (line !== 'biggest') return line;
    const { lines } = this.#scene;
    return lines.toSorted((a, b) => b[direction].rateBps - a[direction].rateBps)[0]?.name;
  }
}
