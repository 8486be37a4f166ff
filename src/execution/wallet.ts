import type { Address } from '../domain/hex.js';
import { NonceLane } from './nonce-lane.js';
import type { Signer } from './signer.js';

/**
 * An account that signs: its key, its lane of nonces, and its balance. Each part of execution works for one
 * wallet.
 */
export class Wallet {
  readonly lane = new NonceLane();
  /** Wei, at the last look at the chain. */
  balanceWei = 0n;

  constructor(readonly signer: Signer) {}

  get address(): Address {
    return this.signer.address;
  }

  get chainId(): number {
    return this.signer.chainId;
  }

  /**
   * The reason to halt when the chain holds transactions of this account that no row of ours explains (F23).
   */
  foreignTransactions(count: number): string {
    const found = count === 1 ? '1 transaction' : `${count} transactions`;
    return `the operator wallet ${this.address} has sent ${found} that this bot did not sign: someone else uses its key`;
  }
}
