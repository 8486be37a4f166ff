/**
 * A small seeded generator of pseudo-random numbers (mulberry32): the same seed gives the same positions
 * everywhere.
 */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Uniform among the integers from min to max, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Uniform in [min, max). */
  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  /** Between min and max, each order of magnitude as likely as the next. */
  magnitude(min: number, max: number): number {
    return Math.exp(this.between(Math.log(min), Math.log(max)));
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Some of the items, all different, in their own order. */
  some<T>(items: readonly T[], howMany: number): T[] {
    const left = items.map((item, position) => ({ item, position, key: this.next() }));
    return left
      .sort((a, b) => a.key - b.key)
      .slice(0, howMany)
      .sort((a, b) => a.position - b.position)
      .map(({ item }) => item);
  }
}
