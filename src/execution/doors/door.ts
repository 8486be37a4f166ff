import type { SendOutcome } from '../../rpc/chain/send-transaction.js';
import type { SignedTransaction } from '../signer.js';

/** A way by which signed transactions reach a block. */
export interface Door {
  /** The name that `execution.paths` gives it. The outbox row of each transaction holds it. */
  readonly name: string;

  /**
   * Hands signed transactions over, in this order, without waiting for an answer between two of them. To
   * hand the same bytes over again is safe. Each promise rejects with a RetryError when no endpoint could
   * be asked: nothing was sent.
   */
  send(transactions: readonly SignedTransaction[]): Promise<SendOutcome>[];

  /**
   * Whether a transaction without a receipt may still reach a block through this door.
   *
   * @throws RetryError when no endpoint could be asked.
   */
  mayStillArrive(transaction: SignedTransaction): Promise<boolean>;
}
