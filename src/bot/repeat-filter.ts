import type { Address } from '../domain/hex.js';

/**
 * The last decision about each borrower. A position that is refused for the same reason in every pass makes
 * one line and one row, not one a block. A borrower without a decision in a whole pass is forgotten.
 */
export class RepeatFilter {
  private last = new Map<Address, string>();
  private present = new Map<Address, string>();

  startPass(): void {
    this.last = this.present;
    this.present = new Map();
  }

  /**
   * Notes a decision about a borrower.
   *
   * @returns whether it is new: the pass before had another decision about the borrower, or none.
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
