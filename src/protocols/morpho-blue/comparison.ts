import type { Address, Hash } from '../../domain/hex.js';
import { formatUnits } from '../../domain/money.js';
import { each, together, type Read } from '../../rpc/chain/read.js';
import type { Comparison, MissingDebt } from '../../state/followed.js';
import type { FollowedMarket, Markets } from './followed-market.js';
import { hasRateModel, type BluePosition } from './market.js';
import { toAssetsUp } from './math.js';
import { positionRead, priceRead, rateAtTargetRead, totalsRead } from './reads.js';
import type { BlueContracts } from './events.js';

/** A position as our books have it. */
interface BookedPosition {
  readonly borrower: Address;
  readonly marketId: Hash;
  readonly position: BluePosition;
}

/** What a comparison found, and the markets whose totals differ: they have to be read again. */
export interface BlueComparison extends Comparison {
  readonly wrongMarkets: readonly Hash[];
}

/**
 * Compares these positions and markets with Morpho.position and Morpho.market, and these prices with their
 * oracles, at the view's block. All are equal to the unit, or wrong.
 *
 * @param prices by oracle: those that come from feeds.
 */
export function comparisonRead(
  contracts: BlueContracts,
  positions: readonly BookedPosition[],
  markets: readonly FollowedMarket[],
  prices: ReadonlyMap<Address, bigint>,
): Read<BlueComparison> {
  const all = together(
    each(positions.map(({ marketId, borrower }) => positionRead(contracts, marketId, borrower))),
    each(markets.map(({ id }) => together(totalsRead(contracts, id), rateAtTargetRead(contracts, id)))),
    each([...prices.keys()].map(priceRead)),
  );
  return {
    calls: all.calls,
    decode: (results) => {
      const [chainPositions, chainMarkets, chainPrices] = all.decode(results);
      const divergences = positions.flatMap((own, index): Comparison['divergences'] => {
        const chain = chainPositions[index];
        const { collateral, borrowShares } = own.position;
        if (!chain || (chain.collateral === collateral && chain.borrowShares === borrowShares)) return [];
        return [
          {
            account: own.borrower,
            detail: {
              marketId: own.marketId,
              ourCollateral: String(collateral),
              chainCollateral: String(chain.collateral),
              ourBorrowShares: String(borrowShares),
              chainBorrowShares: String(chain.borrowShares),
            },
          },
        ];
      });
      const wrongMarkets = markets.flatMap((own, index) => {
        const [totals, rateAtTargetWad] = chainMarkets[index] ?? [];
        if (!totals || rateAtTargetWad === undefined) return [];
        return isSame(own, totals, rateAtTargetWad) ? [] : [own.id];
      });
      const wrongPrices = [...prices].flatMap(([oracle, price], index) => {
        const chain = chainPrices[index];
        return chain === price ? [] : [{ asset: oracle, oursUsd8: price, chainUsd8: chain }];
      });
      const compared = [...new Set(positions.map(({ borrower }) => borrower))];
      return { compared, divergences, wrongPrices, wrongMarkets };
    },
  };
}

/** A market without a rate model may book the time of an accrual without a log. It earns nothing by it. */
function isSame(
  { params, totals, rate }: FollowedMarket,
  chain: FollowedMarket['totals'],
  rateAtTargetWad: bigint,
): boolean {
  return (
    totals.supplyAssets === chain.supplyAssets &&
    totals.supplyShares === chain.supplyShares &&
    totals.borrowAssets === chain.borrowAssets &&
    totals.borrowShares === chain.borrowShares &&
    totals.feeWad === chain.feeWad &&
    (totals.lastUpdate === chain.lastUpdate || !hasRateModel(params)) &&
    (rate.kind !== 'adaptive-curve' || rate.rateAtTargetWad === rateAtTargetWad)
  );
}

/**
 * The borrow shares of all known accounts compared with Morpho.market, market by market. Both are sums of the
 * same whole numbers, so they are equal to the unit.
 *
 * @param known the sum of a market.
 * @param blind accounts of which it is not known in which markets they borrowed.
 */
export function debtsRead(
  contracts: BlueContracts,
  markets: Markets,
  known: (marketId: Hash) => bigint,
  blind: number,
): Read<readonly MissingDebt[]> {
  const all = [...markets.values()];
  const sums = all.map(({ id }) => known(id));
  const totals = each(all.map(({ id }) => totalsRead(contracts, id)));
  return {
    calls: totals.calls,
    decode: (results) => {
      const chain = totals.decode(results);
      const missing = all.flatMap(({ id, loan, collateral }, index): MissingDebt[] => {
        const [ours = 0n, total] = [sums[index], chain[index]];
        if (!total || ours === total.borrowShares) return [];
        const shown = (shares: bigint): string =>
          formatUnits(toAssetsUp(shares, total.borrowAssets, total.borrowShares), loan.decimals);
        const symbol = `${collateral.symbol}/${loan.symbol} (${id.slice(0, 10)})`;
        const lacks = ours < total.borrowShares;
        return [{ asset: loan.address, symbol, known: shown(ours), total: shown(total.borrowShares), lacks }];
      });
      if (blind === 0) return missing;
      const unknown = { asset: contracts.morpho, symbol: 'markets of known borrowers', lacks: true };
      return [...missing, { ...unknown, known: '0', total: String(blind) }];
    },
  };
}
