/** Mulberry32, a small seeded generator of whole numbers. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 or more, below `limit`, which is at least 1. */
  below(limit: bigint): bigint {
    let value = 0n;
    for (let bits = 0n; 1n << bits < limit << 16n; bits += 32n) value = (value << 32n) | BigInt(this.next());
    return value % limit;
  }

  /** At least 1 and at most `most`: each order of magnitude is as likely as any other. */
  magnitude(most: bigint): bigint {
    const orders = BigInt(most.toString().length);
    const limit = 10n ** (1n + this.below(orders));
    return this.below(limit < most ? limit : most) + 1n;
  }

  pick<T>(of: readonly T[]): T {
    const one = of[this.next() % of.length];
    if (one === undefined) throw new RangeError('there is nothing to pick');
    return one;
  }

  private next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
