import type { Address } from '../domain/hex.js';

/**
 * What was last said of each borrower. A position that is left alone for the same reason in every pass makes
 * one line and one row, not one a block. A borrower of whom a whole pass says nothing is forgotten.
 */
export class RepeatFilter {
  private last = new Map<Address, string>();
  private present = new Map<Address, string>();

  startPass(): void {
    this.last = this.present;
    this.present = new Map();
  }

  /**
   * Notes what is said of a borrower.
   *
   * @returns whether it is news: the pass before said something else, or nothing.
   */
  isNew(borrower: Address, said: string): boolean {
    this.present.set(borrower, said);
    return this.differs(borrower, said);
  }

  /** As {@link isNew}, without noting it. */
  differs(borrower: Address, said: string): boolean {
    return this.last.get(borrower) !== said;
  }
}
