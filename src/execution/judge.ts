import type { FeesBesideGas } from '../domain/costs.js';
import type { Address } from '../domain/hex.js';
import type { Verdict } from '../domain/outcome.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { ChainReads } from './chain-reads.js';
import type { InFlight, Mined } from './in-flight.js';
import type { RivalWatch } from './rival-watch.js';
import { proofOf, type Proof } from './settlement.js';
import { verdictOfDeadline, verdictOfRevert } from './verdict.js';

const NO_FEES: FeesBesideGas = { l1Fee: 0n, operatorFee: 0n };

/** Says what became of a transaction, and asks the chain what is needed for it. */
export class Judge {
  constructor(
    private readonly reads: ChainReads,
    private readonly rivals: RivalWatch,
    private readonly chimera: Address,
  ) {}

  /** Whether the receipt by itself says that this version of it liquidated. */
  isWin({ terms }: InFlight, { version, receipt }: Mined): boolean {
    if (receipt.status === 'reverted' || version.kind === 'cancellation') return false;
    return proofOf(receipt, terms, this.chimera, NO_FEES).kind === 'succeeded';
  }

  /**
   * By a confirmed receipt. Never throws.
   *
   * @param fees what the transaction paid beside its gas.
   */
  async ofReceipt(
    transaction: InFlight,
    receipt: Receipt,
    fees: FeesBesideGas,
  ): Promise<{ proof: Proof; verdict: Verdict }> {
    const { raw, terms } = transaction;
    const reverted = receipt.status === 'reverted';
    const cancelled = transaction.kind === 'cancellation';
    const [revert, rival] = await Promise.all([
      reverted && !cancelled ? this.reads.revertOf(receipt, raw) : undefined,
      reverted || cancelled ? this.rivals.firstBefore(terms, receipt) : undefined,
    ]);
    const proof = proofOf(receipt, terms, this.chimera, fees);
    if (cancelled) {
      const { reason = 'it was given up' } = transaction;
      return { proof: { ...proof, kind: 'cancelled' }, verdict: verdictOfDeadline(reason, rival) };
    }
    if (revert) return { proof, verdict: verdictOfRevert(revert, rival) };
    if (proof.kind === 'succeeded') return { proof, verdict: { outcome: 'won', reason: undefined } };
    const reason = 'the contract reported no liquidation of this borrower';
    return { proof, verdict: { outcome: 'malfunction', reason } };
  }

  /**
   * Of a transaction whose deadline passed, and which no node has any more. Never throws.
   *
   * @param headNumber the block up to which it was not mined.
   */
  async ofDeadline({ terms }: InFlight, headNumber: number): Promise<Verdict> {
    const rival = await this.rivals.firstBefore(terms, { blockNumber: headNumber });
    return verdictOfDeadline('it was not mined before its deadline', rival);
  }
}
