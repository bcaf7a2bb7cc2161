import type { LineSpec } from '../scenario/scenario.ts';
import { drawPicture, type PictureState } from './picture.ts';
import type { Show } from './show.ts';

/** The part of a terminal it needs. */
export interface Screen {
  readonly columns: number | undefined;
  write(text: string): unknown;
}

const eraseBelow = '\u001B[0J';
const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';

/** A picture that is drawn over itself; sentences that stay scroll away above it. */
export class LiveShow implements Show {
  readonly #screen: Screen;
  #drawn = 0;
  #title = '';
  #phase = '';
  #lines: { spec: LineSpec; trouble: string; downBps: number; upBps: number }[] = [];
  #progress: PictureState['progress'];
  #events: string[] = [];
  #last: { atMs: number; bytes: readonly { down: number; up: number }[] } | undefined;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  begin(title: string, lines: readonly LineSpec[]): void {
    this.#title = title;
    this.#lines = lines.map((spec) => ({ spec, trouble: '', downBps: 0, upBps: 0 }));
    this.#events = [];
    this.#progress = undefined;
    this.#last = undefined;
    this.#drawn = 0;
    this.#screen.write(hideCursor);
    this.#draw();
  }

  phase(text: string, of?: number): void {
    this.#phase = text;
    this.#progress = of === undefined ? undefined : { bytes: 0, of };
    this.#draw();
  }

  progress(bytes: number): void {
    // Drawn with the next rates: arrivals come far too often.
    if (this.#progress !== undefined) this.#progress = { bytes, of: this.#progress.of };
  }

  event(line: string, trouble: string, text: string): void {
    const of = this.#lines.find((l) => l.spec.name === line);
    if (of) of.trouble = trouble;
    this.#events.push(text);
    this.#draw();
  }

  carried(atMs: number, bytes: readonly { down: number; up: number }[]): void {
    const before = this.#last;
    this.#last = { atMs, bytes };
    if (before === undefined || atMs <= before.atMs) return;
    for (const [i, line] of this.#lines.entries()) {
      const rate = (of: 'down' | 'up'): number =>
        (((bytes[i]?.[of] ?? 0) - (before.bytes[i]?.[of] ?? 0)) * 8_000) / (atMs - before.atMs);
      line.downBps = rate('down');
      line.upBps = rate('up');
    }
    this.#draw();
  }

  say(text: string): void {
    this.#screen.write(`${this.#home()}${text}\n`);
    this.#drawn = 0;
    this.#draw();
  }

  end(): void {
    this.#screen.write(`${this.#home()}${showCursor}`);
    this.#drawn = 0;
  }

  #home(): string {
    return `${this.#drawn > 0 ? `\u001B[${this.#drawn}A` : ''}\r${eraseBelow}`;
  }

  #draw(): void {
    const picture = drawPicture(
      { title: this.#title, phase: this.#phase, lines: this.#lines, progress: this.#progress, events: this.#events },
      (this.#screen.columns ?? 80) - 1,
    );
    this.#screen.write(`${this.#home()}${picture.join('\n')}\n`);
    this.#drawn = picture.length;
  }
}
