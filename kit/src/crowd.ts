/** Whoever waits: a place for each guest, by where it came from. */
interface Place<T> {
  readonly guest: T;
  readonly source: string;
}

/**
 * A bounded crowd of guests, the oldest first. When there is no place left, the oldest of the source with the most guests
 * goes: one source that sends any number displaces only its own.
 */
export class Crowd<T> {
  readonly #max: number;
  readonly #bySource = new Map<string, Set<Place<T>>>();
  readonly #places = new Map<T, Place<T>>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#places.size;
  }

  /** All guests, the oldest first. */
  guests(): IterableIterator<T> {
    return this.#places.keys();
  }

  /** Takes a guest in. Returns whom it displaced, already removed, or undefined. `spared` guests go only when nobody else is left. */
  add(guest: T, source: string, spared: (guest: T) => boolean = () => false): T | undefined {
    const displaced = this.#places.size >= this.#max ? this.#victim(spared) : undefined;
    if (displaced !== undefined) this.remove(displaced);
    const place = { guest, source };
    this.#places.set(guest, place);
    const same = this.#bySource.get(source);
    if (same) same.add(place);
    else this.#bySource.set(source, new Set([place]));
    return displaced;
  }

  /** Removes a guest, if it is there. Returns whether it was. */
  remove(guest: T): boolean {
    const place = this.#places.get(guest);
    if (!place) return false;
    this.#places.delete(guest);
    const same = this.#bySource.get(place.source);
    same?.delete(place);
    if (same?.size === 0) this.#bySource.delete(place.source);
    return true;
  }

  #victim(spared: (guest: T) => boolean): T | undefined {
    let largest: ReadonlySet<Place<T>> | undefined;
    let most = 0;
    for (const same of this.#bySource.values()) {
      let count = 0;
      for (const { guest } of same) if (!spared(guest)) count++;
      if (count <= most) continue;
      most = count;
      largest = same;
    }
    for (const { guest } of largest ?? []) if (!spared(guest)) return guest;
    return this.#places.keys().next().value;
  }
}

/** Where an address counts as coming from: an IPv4 address itself, of an IPv6 address the 64 bits one subscriber has. */
export function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const [left = '', right] = address.split('::');
  const head = left.split(':');
  if (right === undefined || head.length >= 4) return head.slice(0, 4).join(':');
  const tail = right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return [...head, ...zeros, ...tail].slice(0, 4).join(':');
}
