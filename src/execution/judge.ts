import type { Address } from '../domain/hex.js';
import type { Verdict } from '../domain/outcome.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { ChainReads } from './chain-reads.js';
import type { InFlight } from './in-flight.js';
import { proofOf, type Proof } from './settlement.js';
import { verdictOfDeadline, verdictOfRevert } from './verdict.js';

/** Says what became of a transaction, and asks the chain what is needed for it. */
export class Judge {
  constructor(
    private readonly reads: ChainReads,
    private readonly chimera: Address,
  ) {}

  /**
   * By a confirmed receipt.
   *
   * @throws RetryError when the chain could not be asked for the fees.
   */
  async ofReceipt(transaction: InFlight, receipt: Receipt): Promise<{ proof: Proof; verdict: Verdict }> {
    const fees = await this.reads.feesPaid(receipt, transaction.raw);
    const proof = proofOf(receipt, transaction.terms, this.chimera, fees);
    return { proof, verdict: await this.verdictOf(proof, transaction, receipt) };
  }

  private async verdictOf({ kind }: Proof, { raw }: InFlight, receipt: Receipt): Promise<Verdict> {
    switch (kind) {
      case 'succeeded':
        return { outcome: 'won', reason: undefined };
      case 'reverted':
        return verdictOfRevert(await this.reads.revertOf(receipt, raw), undefined);
      case 'no-event':
        return {
          outcome: 'malfunction',
          reason: 'the contract reported no liquidation of this borrower',
        };
    }
  }

  /** A transaction that no node has any more, whose deadline has passed at this block. Never throws. */
  ofDeadline(): Verdict {
    return verdictOfDeadline('it was not mined before its deadline', undefined);
  }
}
