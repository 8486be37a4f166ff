import type { MinedEnd, RecordedRows } from '../../src/database/index.js';
import type { Hash } from '../../src/domain/hex.js';

/** The end of a transaction that was mined in block 79. @param covered whether it covered debt. */
export function aMinedEnd(rows: RecordedRows, txHash: Hash, covered: boolean): MinedEnd {
  const paid = { txHash, gasUsed: 9n, feesWei: 3n * 10n ** 15n, realisedProfitUsd8: -8n, outcomeDetails: {} };
  return {
    ...rows,
    execution: covered
      ? {
          ...{ status: 'succeeded', outcome: 'won', ...paid },
          ...{ debtCovered: 5n, collateralSeized: 6n, realisedProfit: 7n },
        }
      : { status: 'reverted', reason: 'why', outcome: 'lost', ...paid },
    block: { number: 79, hash: `0x${'79'.repeat(32)}` },
    spent: { day: '2026-01-31', feeWei: paid.feesWei, lossUsd8: 7_500_000_001n },
  };
}
