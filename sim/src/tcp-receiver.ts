/** The receiving end of one direction of a connection: puts pieces in order, and says what it has. */
import { NumberedQueue } from '@tresse/kit';

import { type Piece, segmentsOf } from './piece.ts';

export class TcpReceiver {
  /** Contents by the offset of their end; handed over whole when the last byte is in order. */
  readonly #contents: NumberedQueue<Uint8Array> = new NumberedQueue();
  /** Pieces not in order yet, as they were first sent. */
  readonly #due: NumberedQueue<Piece> = new NumberedQueue();
  /** Arrived, and not said in any acknowledgement that got through. */
  #news: Piece[] = [];
  #received = 0;
  #twice = false;
  /** Segments that have arrived. */
  segments = 0;

  /** Bytes in order. */
  get received(): number {
    return this.#received;
  }

  /** A content will be sent up to this offset. */
  expectContent(end: number, content: Uint8Array): void {
    this.#contents.push(end, content);
  }

  /** A piece will be sent, after those before. */
  expect(piece: Piece): void {
    this.#due.push(piece.end, piece);
  }

  take(piece: Piece): void {
    this.segments += segmentsOf(piece.end - piece.start);
    if (piece.arrived) {
      this.#twice = true;
      return;
    }
    piece.arrived = true;
    this.#news.push(piece);
    for (let next = this.#due.at(0); next?.arrived === true; next = this.#due.at(0)) {
      this.#received = next.end;
      this.#due.shift();
    }
  }

  /** The next content that is whole, or undefined. */
  takeContent(): Uint8Array | undefined {
    return this.#contents.headNumber() <= this.#received ? this.#contents.shift() : undefined;
  }

  /** What an acknowledgement says that gets through: pieces since the last one, and whether something came twice. */
  report(): { news: readonly Piece[]; twice: boolean } {
    const said = { news: this.#news, twice: this.#twice };
    this.#news = [];
    this.#twice = false;
    return said;
  }

  /** Nothing is handed over any more. */
  end(): void {
    this.#contents.clear();
    this.#due.clear();
    this.#news = [];
  }
}
