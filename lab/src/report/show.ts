import type { LineSpec } from '../scenario/scenario.ts';

/** Where people watch a run. All of it goes to stderr: stdout belongs to the report. */
export interface Show {
  /** A run begins on these lines. */
  begin(title: string, lines: readonly LineSpec[]): void;
  /** What is being done from now on; `of` is how many bytes it will carry, where that is known. */
  phase(text: string, of?: number): void;
  /** Bytes of the transfer under way. */
  progress(bytes: number): void;
  /** A line changed: what is wrong with it now (empty: nothing), and a sentence for the list of events. */
  event(line: string, trouble: string, text: string): void;
  /** IP bytes every line has delivered in all, a few times a second. */
  carried(atMs: number, bytes: readonly { down: number; up: number }[]): void;
  /** A sentence that stays. */
  say(text: string): void;
  /** The run is over. */
  end(): void;
}

/** Lines of text, for files and pipes. */
export class PlainShow implements Show {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  begin(title: string): void {
    this.#write(`${title}\n`);
  }

  phase(text: string): void {
    this.#write(`  ${text}\n`);
  }

  progress(): void {
    // A line of text for every few bytes would help nobody.
  }

  event(_line: string, _trouble: string, text: string): void {
    this.#write(`  * ${text}\n`);
  }

  carried(): void {
    // As with progress.
  }

  say(text: string): void {
    this.#write(`  ${text}\n`);
  }

  end(): void {
    // Nothing is open.
  }
}
