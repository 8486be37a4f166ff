import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { Block } from '../../src/domain/block.js';
import type { AaveAccount, Leg } from '../../src/protocols/aave-v3/market.js';
import type { AavePosition } from '../../src/protocols/aave-v3/at-risk.js';
import type { StateView } from '../../src/state/state-view.js';
import { aaveView } from '../../testing/aave-state.js';
import type { HealthFactorLimits } from '../../src/protocols/aave-v3/aave-v3-market.js';
import type { ChainAccount, ChainSide } from './chain-side.js';
import type { RandomChain } from './random-chain.js';

/** A position in the form that both sides have. */
interface Comparable {
  readonly eMode: number;
  /** By reserve id. */
  readonly legs: Readonly<Record<number, object>>;
  /** What getUserAccountData answers, or that it reverts because a price is missing. */
  readonly totals: object | 'a price is missing';
}

/** The one place that knows the form of a leg in the engine. */
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

/** Blocks in the report of a failure: a mistake about interest shows some blocks after it was made. */
const TOLD = 10;

/** Compares the engine with the contracts, at one block after the other. */
export class Comparison {
  /** How many were compared and found equal. */
  positions = 0;

  constructor(
    private readonly world: RandomChain,
    private readonly name: string,
  ) {}

  /**
   * Compares exactly the accounts that the view has to hold. A difference fails, and the report lists the
   * actions before it.
   */
  async at(block: Block, answer: Promise<StateView>, { decideBelowWad }: HealthFactorLimits): Promise<void> {
    const [view, side] = await Promise.all([answer, this.world.sideAt(block)]).catch((error: unknown) => {
      throw new Error(this.story(block), { cause: error });
    });
    const [ours, theirs] = [engineSide(view), chainSide(side, decideBelowWad)];
    const borrowers = borrowersIn(side).length;
    const accounts = Object.keys(theirs).toSorted();
    const counted = aaveView(view).borrowerCount;
    const known = { block: view.block, accounts: Object.keys(ours).toSorted(), counted };
    const expected = { block, accounts, counted: borrowers };
    if (!isDeepStrictEqual([known, ours], [expected, theirs])) {
      const story = this.story(block);
      expect(known, story).toEqual(expected);
      for (const account of accounts) expect(ours[account], `${account}, ${story}`).toEqual(theirs[account]);
    }
    this.positions += borrowers;
  }

  private story({ number }: Block): string {
    return [`${this.name}, at block ${number}:`, ...this.world.story(number - TOLD, number)].join('\n');
  }
}

/** Every account of the view. */
function engineSide(view: StateView): Record<string, Comparable> {
  return Object.fromEntries(
    [...aaveView(view).positions].map(([address, { account, data }]) => [
      address,
      { eMode: account.eMode, legs: legsOfEngine(account), totals: totalsOf(data) },
    ]),
  );
}

function borrowersIn({ accounts }: ChainSide): ChainAccount[] {
  return accounts.filter(({ legs }) => legs.some(({ scaledDebt }) => scaledDebt > 0n));
}

/**
 * By the contracts: every account with debt and a health factor (wad) below the limit, or without one (no
 * price).
 */
function chainSide(side: ChainSide, belowWad: bigint): Record<string, Comparable> {
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

function totalsOf(data: AavePosition['data']): Comparable['totals'] {
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
