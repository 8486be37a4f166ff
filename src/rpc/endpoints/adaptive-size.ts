/** The most answers that are waited for before a larger size is tried. */
const MOST_PATIENCE = 16_384;

export interface SizeLimits {
  /** What is tried first. */
  readonly first: number;
  readonly largest: number;
  /** After how many answers of the full size a larger one is tried, once a size was refused. */
  readonly patience: number;
}

/**
 * How much one endpoint serves in one question: calls in a batch, blocks in a range of logs. The limit is not
 * known and may change, so it is learned. A refusal halves the size, or takes the size that the refusal
 * names. Later a larger size is tried now and then: half the way to the smallest that was refused, or a
 * quarter more when that is near. Each try that is refused doubles the wait before the next one, so that
 * refusals stay rare however long it goes on.
 */
export class AdaptiveSize {
  readonly #largest: number;
  #size: number;
  #patience: number;
  /** The smallest size that was refused, as far as it still counts. */
  #refused: number | undefined;
  #servedInRow = 0;
  /** A larger size that was given out to be tried. */
  #trial: number | undefined;

  constructor({ first, largest, patience }: SizeLimits) {
    this.#size = first;
    this.#largest = largest;
    this.#patience = patience;
  }

  get size(): number {
    return this.#size;
  }

  /** How much to ask for now. @param most what is left to ask for, at least 1. */
  next(most: number): number {
    const patience = this.#refused === undefined ? 1 : this.#patience;
    if (this.#servedInRow >= patience) {
      const larger = Math.min(this.#larger(), most);
      if (larger > this.#size) {
        this.#servedInRow = 0;
        this.#trial = larger;
        return larger;
      }
    }
    return Math.min(this.#size, most);
  }

  served(size: number): void {
    if (size > this.#size) {
      this.#size = size;
      this.#servedInRow = 0;
      if (this.#refused !== undefined && size >= this.#refused) this.#refused = undefined;
    } else if (size === this.#size) this.#servedInRow++;
    if (this.#trial !== undefined && size >= this.#trial) this.#trial = undefined;
  }

  /** @param suggested the size that the refusal says would be served. */
  refused(size: number, suggested?: number): void {
    this.#servedInRow = 0;
    const known = suggested !== undefined && suggested >= 1 && suggested < size ? suggested : undefined;
    if (size > this.#size) {
      if (size === this.#trial) this.#patience = Math.min(this.#patience * 2, MOST_PATIENCE);
      this.#refused = Math.min(this.#refused ?? size, size);
    } else {
      this.#size = known ?? Math.max(1, Math.floor(size / 2));
      this.#refused = size;
    }
    if (known !== undefined) {
      this.#size = Math.min(this.#size, known);
      this.#refused = known + 1;
    }
    this.#trial = undefined;
  }

  #larger(): number {
    const size = this.#size;
    if (this.#refused === undefined) return Math.min(2 * size, this.#largest);
    const gap = this.#refused - size;
    const step = gap > Math.max(1, size / 8) ? Math.floor(gap / 2) : Math.max(1, Math.floor(size / 4));
    return Math.min(size + step, this.#largest);
  }
}
