import type { Address } from '../../domain/hex.js';
import type { Read } from '../../rpc/chain/read.js';

/** What a lender would lend of one token, at one block. */
export interface Offer {
  /** Its name in plans, rows and messages. */
  readonly name: string;
  readonly lender: Address;
  /** Of the loan, rounded up to whole basis points. */
  readonly feeBps: bigint;
  /** Units of the token. */
  readonly most: bigint;
  /** What a plan with this loan burns more than one with a flash swap. */
  readonly gas: bigint;
}

/** A contract that gives flash loans, and that our contract knows how to ask. One class for each kind. */
export interface Lender {
  readonly name: string;
  readonly address: Address;
  /**
   * What it would lend of these tokens now, one for each; undefined where it lends nothing.
   *
   * @throws RangeError when an answer is malformed.
   */
  offers(tokens: readonly Address[]): Read<readonly (Offer | undefined)[]>;
}
