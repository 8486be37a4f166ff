import type { AaveAccount, Leg } from '../../src/protocols/aave-v3/market.js';
import type { Position, StateView } from '../../src/state/state-view.js';
import type { ChainAccount, ChainSide } from './chain-side.js';

/** A position as both sides can tell it. */
interface Comparable {
  readonly eMode: number;
  /** By reserve id. */
  readonly legs: Readonly<Record<number, object>>;
  /** What getUserAccountData says, or that it says nothing for want of a price. */
  readonly totals: object | 'a price is missing';
}

/** The one place that knows what a leg of the engine looks like. */
function legsOfEngine({ legs }: AaveAccount): Comparable['legs'] {
  return Object.fromEntries(legs.filter(isHeld).map(({ reserveId, ...leg }) => [reserveId, leg]));
}

/** The chain's legs in the engine's shape. */
function legsOfChain({ legs }: ChainAccount): Comparable['legs'] {
  return Object.fromEntries(
    legs
      .map(({ reserve, scaledSupply, usedAsCollateral, scaledDebt }) => ({
        reserveId: reserve.id,
        scaledSupply,
        usedAsCollateral,
        scaledDebt,
      }))
      .filter(isHeld)
      .map(({ reserveId, ...leg }) => [reserveId, leg]),
  );
}

function isHeld({ scaledSupply, usedAsCollateral, scaledDebt }: Leg): boolean {
  return scaledSupply > 0n || scaledDebt > 0n || usedAsCollateral;
}

/** Every account with debt, as the engine sees it. */
export function engineSide(view: StateView): Record<string, Comparable> {
  return Object.fromEntries(
    view.markets.flatMap(({ positions }) =>
      [...positions].map(([address, { account, data }]) => [
        address,
        { eMode: account.eMode, legs: legsOfEngine(account), totals: totalsOf(data) },
      ]),
    ),
  );
}

/** Every account with debt. */
export function borrowersIn({ accounts }: ChainSide): ChainAccount[] {
  return accounts.filter(({ legs }) => legs.some(({ scaledDebt }) => scaledDebt > 0n));
}

/** Every account with debt and a health factor (wad) below the limit, or none for want of a price, as the contracts see it. */
export function chainSide(side: ChainSide, belowWad: bigint): Record<string, Comparable> {
  return Object.fromEntries(
    borrowersIn(side)
      .filter(({ data }) => !data || data.healthFactorWad < belowWad)
      .map((account) => [
        account.address,
        {
          eMode: account.eMode,
          legs: legsOfChain(account),
          totals: account.data ? totals(account.data) : 'a price is missing',
        },
      ]),
  );
}

function totalsOf(data: Position['data']): Comparable['totals'] {
  return 'priceMissing' in data ? 'a price is missing' : totals(data);
}

const totals = (data: {
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  readonly healthFactorWad: bigint;
}): object => ({
  collateralUsd8: data.totalCollateralUsd8,
  debtUsd8: data.totalDebtUsd8,
  healthFactorWad: data.healthFactorWad,
});
