import type { Address, Hash } from '../domain/hex.js';
import type { Rival } from '../domain/outcome.js';
import type { PastLiquidation, PastLiquidations } from '../domain/past-liquidations.js';
import { positionIdOf } from '../domain/position-id.js';
import type { Receipt } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { SettlementTerms } from './settlement-terms.js';

/** Where our transaction was mined; without a place: the block up to which it was not mined. */
export type Until = Pick<Receipt, 'blockNumber'> & Partial<Pick<Receipt, 'transactionIndex'>>;

/** More transactions that liquidated one position since its plan are not looked at. */
const MOST_LOOKED_AT = 4;

/** Finds who liquidated a position between its plan and our transaction. */
export class RivalWatch {
  constructor(
    private readonly chain: Chain,
    private readonly liquidations: PastLiquidations,
    /** Our own account: what it sent is no rival's. */
    private readonly sender: Address,
  ) {}

  /**
   * The first liquidation of this position by another sender after the block of the plan and before our
   * transaction. Undefined: there was none. Never throws: `unknown` when the chain could not be asked.
   */
  async firstBefore(terms: SettlementTerms, until: Until): Promise<Rival | 'unknown' | undefined> {
    const { protocol, planBlock } = terms;
    const range = { fromBlock: planBlock + 1, toBlock: until.blockNumber };
    if (range.fromBlock > range.toBlock) return undefined;
    try {
      const found = await this.liquidations.find({ protocol, ...positionIdOf(terms), ...range });
      for (const liquidation of firstOfEach(found).slice(0, MOST_LOOKED_AT)) {
        const { receipt, baseFeePerGas } = await this.look(liquidation);
        if (!isBefore(receipt, until)) return undefined;
        if (receipt.from !== this.sender) return rivalOf(receipt, baseFeePerGas, until);
      }
      return undefined;
    } catch {
      return 'unknown';
    }
  }

  /** @throws when the chain could not be asked, or does not have it any more. */
  private async look({
    transactionHash,
    blockHash,
  }: PastLiquidation): Promise<{ receipt: Receipt; baseFeePerGas: bigint }> {
    const [receipt, { baseFeePerGas }] = await Promise.all([
      this.chain.getTransactionReceipt(transactionHash),
      this.chain.getBlock(blockHash),
    ]);
    if (receipt?.blockHash !== blockHash) throw new TypeError('the liquidation is in another block now');
    return { receipt, baseFeePerGas };
  }
}

/** One transaction may liquidate a position by several calls. */
function firstOfEach(found: readonly PastLiquidation[]): PastLiquidation[] {
  const byTransaction = new Map<Hash, PastLiquidation>();
  for (const liquidation of found)
    if (!byTransaction.has(liquidation.transactionHash))
      byTransaction.set(liquidation.transactionHash, liquidation);
  return [...byTransaction.values()];
}

function isBefore({ blockNumber, transactionIndex }: Receipt, until: Until): boolean {
  if (until.transactionIndex === undefined || blockNumber !== until.blockNumber)
    return blockNumber <= until.blockNumber;
  return transactionIndex < until.transactionIndex;
}

function rivalOf(receipt: Receipt, baseFeePerGas: bigint, until: Until): Rival {
  const { from, transactionHash, blockNumber, transactionIndex, effectiveGasPrice } = receipt;
  const sameBlock = blockNumber === until.blockNumber && until.transactionIndex !== undefined;
  return {
    sender: from,
    hash: transactionHash,
    block: blockNumber,
    place: transactionIndex,
    tipPerGasWei: effectiveGasPrice - baseFeePerGas,
    blocksEarlier: until.blockNumber - blockNumber,
    placesEarlier: sameBlock ? until.transactionIndex - transactionIndex : undefined,
  };
}
