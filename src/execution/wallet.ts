import type { Address } from '../domain/hex.js';
import type { Budget } from './budget.js';
import type { Lease } from './lease.js';
import { NonceLane } from './nonce-lane.js';
import type { Signer } from './signer.js';

/**
 * An account that signs: its key, the lease under which it may sign, its lane of nonces, its balance, and
 * what it may spend. Each part of execution works for one wallet.
 */
export class Wallet {
  readonly lane = new NonceLane();
  /** An account with code (EIP-7702): nodes take one transaction of it at a time. */
  oneAtATime = false;
  private balance = 0n;

  constructor(
    readonly signer: Signer,
    readonly budget: Budget,
    readonly lease: Lease,
  ) {}

  /** Wei, at the last look at the chain. */
  get balanceWei(): bigint {
    return this.balance;
  }

  set balanceWei(wei: bigint) {
    if (wei > this.balance) this.budget.deposited();
    this.balance = wei;
  }

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
