import type { Address } from '../domain/hex.js';

/**
 * What was last said of each borrower, so that a position left alone for the same reason on every block makes one line
 * and one row, not one a block. A borrower that is no longer spoken of is forgotten.
 */
export class SaidBefore {
  private last = new Map<Address, string>();
  private present = new Map<Address, string>();

  /** Starts a pass: whoever is not spoken of until the next start is forgotten then. */
  startPass(): void {
    this.last = this.present;
    this.present = new Map();
  }

  /** Whether this is news: the borrower was spoken of otherwise, or not at all, on the previous pass. */
  isNew(borrower: Address, said: string): boolean {
    this.present.set(borrower, said);
    return this.differs(borrower, said);
  }

  /** As {@link isNew}, without saying it. */
  differs(borrower: Address, said: string): boolean {
    return this.last.get(borrower) !== said;
  }
}
