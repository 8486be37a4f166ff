import type { SendOutcome } from '../../rpc/chain/send-transaction.js';
import type { SignedTransaction } from '../signer.js';

/** A way by which signed transactions reach a block. */
export interface Door {
  /** The name that `execution.paths` gives it. The outbox row of each transaction holds it. */
  readonly name: string;

  /**
   * Hands a signed transaction over, once. To hand the same bytes over again is safe.
   *
   * @throws RetryError when no endpoint could be asked: nothing was sent.
   */
  send(transaction: SignedTransaction): Promise<SendOutcome>;

  /**
   * Whether a transaction without a receipt may still reach a block through this door.
   *
   * @throws RetryError when no endpoint could be asked.
   */
  mayStillArrive(transaction: SignedTransaction): Promise<boolean>;
}
