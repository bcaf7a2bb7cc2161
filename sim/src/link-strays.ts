/** Packets of a link that took a longer way: numbers with their arrival times, in the order of both. Nothing is allocated per packet. */
export class Strays {
  #numbers = new Float64Array(16);
  #arrivalMs = new Float64Array(16);
  #first = 0;
  #end = 0;

  /** Takes a packet. It arrives no sooner than the stray before it. */
  add(number: number, arrivalMs: number): void {
    if (this.#end - this.#first === this.#numbers.length) this.#grow();
    const before = this.#end > this.#first ? this.#arrivalAt(this.#end - 1) : -Infinity;
    const place = this.#end++ & (this.#numbers.length - 1);
    this.#numbers[place] = number;
    this.#arrivalMs[place] = Math.max(before, arrivalMs);
  }

  get count(): number {
    return this.#end - this.#first;
  }

  /** Number of the one that arrives first; Infinity where there is none. */
  get firstNumber(): number {
    return this.count === 0 ? Infinity : (this.#numbers[this.#first & (this.#numbers.length - 1)] ?? Infinity);
  }

  /** When it arrives; Infinity where there is none. */
  get firstAtMs(): number {
    return this.count === 0 ? Infinity : this.#arrivalAt(this.#first);
  }

  /** Forgets the first. */
  shift(): void {
    this.#first++;
  }

  clear(): void {
    this.#first = this.#end;
  }

  #arrivalAt(index: number): number {
    return this.#arrivalMs[index & (this.#arrivalMs.length - 1)] ?? Infinity;
  }

  #grow(): void {
    const size = this.#numbers.length;
    const numbers = new Float64Array(size * 2);
    const arrivalMs = new Float64Array(size * 2);
    for (let i = this.#first; i < this.#end; i++) {
      numbers[i & (size * 2 - 1)] = this.#numbers[i & (size - 1)] ?? 0;
      arrivalMs[i & (size * 2 - 1)] = this.#arrivalAt(i);
    }
    this.#numbers = numbers;
    this.#arrivalMs = arrivalMs;
  }
}
