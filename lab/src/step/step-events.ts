import { monotonicMs } from '@tresse/sys';

import type { DirectionName, Emulator } from '../emulator/index.ts';
import type { LineWatch } from '../measure/line-watch.ts';
import type { LineSpec, TransferStep, StepEvent } from '../scenario/scenario.ts';

/** Something that was done to a line during a step. */
export interface DoneEvent {
  /** Of the monotonic clock. */
  readonly atMs: number;
  /** Since the first byte, in seconds. */
  readonly atSeconds: number;
  readonly text: string;
  readonly line: string;
  readonly effect: 'silent' | 'no carrier' | 'returned' | 'changed';
}

/** What events act on. */
export interface EventScene {
  readonly emulator: Emulator;
  readonly lines: readonly LineSpec[];
  readonly watch: LineWatch;
  readonly onEvent: (event: DoneEvent) => void;
}

const tickMs = 5;

/** Carries out a step's events, each when its time or its share of the bytes has come. */
export class StepEvents {
  readonly done: DoneEvent[] = [];
  readonly #scene: EventScene;
  readonly #step: TransferStep;
  readonly #direction: DirectionName;
  readonly #cut = new Set<string>();
  /** The line the stream began on, once asked for: the same line to the end of the step. */
  #firstLine: string | undefined;
  #firstMs: number | undefined;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #acting: Promise<void> | undefined;
  #fault: unknown;

  constructor(scene: EventScene, step: TransferStep) {
    this.#scene = scene;
    this.#step = step;
    this.#direction = step.kind === 'upload' ? 'up' : 'down';
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

  /** Stops waiting for further events and restores what is still cut. Throws what an event threw. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#acting;
    await Promise.all([...this.#cut].map((line) => this.#scene.emulator.restore(line)));
    if (this.#fault !== undefined) throw this.#fault;
  }

  async #actIfDue(): Promise<void> {
    const event = this.#step.events[this.done.length];
    if (event === undefined || this.#firstMs === undefined || !this.#due(event, this.#firstMs)) return;
    const line = this.#lineOf(event);
    if (line === undefined) return;
    const done = { ...(await this.#act(event, line)), atSeconds: 0 };
    done.atSeconds = (done.atMs - this.#firstMs) / 1_000;
    this.done.push(done);
    this.#scene.onEvent(done);
  }

  #due(event: StepEvent, firstMs: number): boolean {
    if (event.after !== undefined) return monotonicMs() >= (this.done.at(-1)?.atMs ?? firstMs) + event.after;
    if (event.at === undefined) return false;
    return 'ms' in event.at ? monotonicMs() >= firstMs + event.at.ms : this.#bytes >= event.at.ratio * this.#step.bytes;
  }

  #lineOf({ line }: StepEvent): string | undefined {
    if (line === 'first-bytes') return (this.#firstLine ??= this.#scene.watch.firstLine(this.#direction));
    if (line !== 'biggest') return line;
    const { lines } = this.#scene;
    return lines.toSorted((a, b) => b[this.#direction].rateBps - a[this.#direction].rateBps)[0]?.name;
  }

  async #act(event: StepEvent, line: string): Promise<Omit<DoneEvent, 'atSeconds'>> {
    const { emulator } = this.#scene;
    if (event.cut !== undefined) {
      const carrier = event.cut === 'carrier';
      const atMs = await (carrier ? emulator.cutCarrier(line) : emulator.cutSilent(line));
      this.#cut.add(line);
      const effect = carrier ? 'no carrier' : 'silent';
      return { atMs, line, effect, text: `${line} ${carrier ? 'loses its carrier' : 'falls silent'}` };
    }
    if (event.change === undefined) {
      const atMs = await emulator.restore(line);
      this.#cut.delete(line);
      return { atMs, line, effect: 'returned', text: `${line} comes back` };
    }
    const { direction, rate, delay, jitter, loss, queue } = event.change;
    const change = { rateBps: rate, delayMs: delay, jitterMs: jitter, lossRatio: loss, queueMs: queue };
    const given = Object.entries(change).filter(([, value]) => value !== undefined);
    const atMs = await emulator.set(line, direction, Object.fromEntries(given));
    return { atMs, line, effect: 'changed', text: `${line} now has ${given.map(([k, v]) => `${k} ${v}`).join(', ')}` };
  }
}
