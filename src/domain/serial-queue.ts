/** Runs work one at a time, in the order in which it was given. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all earlier work has ended, whether it succeeded or not. @throws what `work` throws. */
  run<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all work given so far has ended. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
