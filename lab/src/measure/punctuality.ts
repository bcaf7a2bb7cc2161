import type { Emulator } from '../emulator/index.ts';

/** How well the emulated lines keep time from a moment on. */
export class Punctuality {
  readonly #emulator: Pick<Emulator, 'counters'>;
  #packets = 0;
  #unpunctual = 0;

  private constructor(emulator: Pick<Emulator, 'counters'>) {
    this.#emulator = emulator;
  }

  /** From now on. Throws what the emulator throws. */
  static async begin(emulator: Pick<Emulator, 'counters'>): Promise<Punctuality> {
    const begun = new Punctuality(emulator);
    [begun.#packets, begun.#unpunctual] = await begun.#count();
    return begun;
  }

  /** Of the packets delivered since, the share that was more than 3 ms late: 0 to 1. */
  async ratio(): Promise<number> {
    const [packets, unpunctual] = await this.#count();
    return packets === this.#packets ? 0 : (unpunctual - this.#unpunctual) / (packets - this.#packets);
  }

  async #count(): Promise<[packets: number, unpunctual: number]> {
    const directions = (await this.#emulator.counters()).flatMap(({ down, up }) => [down, up]);
    return [
      directions.reduce((sum, d) => sum + d.deliveredPackets, 0),
      directions.reduce((sum, d) => sum + d.unpunctualPackets, 0),
    ];
  }
}
