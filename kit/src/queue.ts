const sizeFirst = 8;

/**
 * A growable ring of references with a parallel number for each: first in, first out, nothing allocated per element, and
 * no memory until the first comes: most of thousands of queues stay empty.
 */
export class NumberedQueue<T> {
  #items: (T | undefined)[] = [];
  #numbers: number[] = [];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(number: number, item: T): void {
    if (this.#length === this.#items.length) this.#grow();
    const at = (this.#head + this.#length) & (this.#items.length - 1);
    this.#items[at] = item;
    this.#numbers[at] = number;
    this.#length++;
  }

  /** The number of the oldest element; Infinity when empty. */
  headNumber(): number {
    return this.#length === 0 ? Infinity : (this.#numbers[this.#head] ?? Infinity);
  }

  /** The i-th oldest element, or undefined. */
  at(i: number): T | undefined {
    return i < this.#length ? this.#items[(this.#head + i) & (this.#items.length - 1)] : undefined;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#length--;
    return item;
  }

  /** Drops what `keep` refuses; the order of the others stays. */
  retain(keep: (item: T) => boolean): void {
    for (let n = this.#length; n > 0; n--) {
      const number = this.headNumber();
      const item = this.shift();
      if (item !== undefined && keep(item)) this.push(number, item);
    }
  }

  clear(): void {
    while (this.#length > 0) this.shift();
  }

  #grow(): void {
    const size = this.#items.length;
    const grown = Math.max(sizeFirst, size * 2);
    const items: (T | undefined)[] = Array.from({ length: grown });
    // Fractions, and so numbers and nothing else, kept as such: not one of them is allocated by itself.
    const numbers: number[] = Array.from({ length: grown }, () => 0.5);
    for (let i = 0; i < this.#length; i++) {
      const from = (this.#head + i) & (size - 1);
      items[i] = this.#items[from];
      numbers[i] = this.#numbers[from] ?? 0;
    }
    this.#items = items;
    this.#numbers = numbers;
    this.#head = 0;
  }
}
