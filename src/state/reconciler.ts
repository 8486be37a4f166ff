import { Injectable } from '@nestjs/common';
import type { Address } from '../domain/hex.js';
import { BPS } from '../domain/money.js';
import { accountData, type AccountData } from '../protocols/aave-v3/health.js';
import { accountDataRead, conditionsRead, type ChainAccountData } from '../protocols/aave-v3/reads.js';
import { Chain } from '../rpc/chain/chain.js';
import { each, readAt, together } from '../rpc/chain/read.js';
import type { StateEngine } from './state-engine.js';
import type { MarketView, StateView } from './state-view.js';

/** A difference beyond this means that our picture is wrong, not that something was rounded differently. */
const TOLERANCE_BPS = 10n;
/** Of getUserAccountData one eth_call carries 250 (130k gas each, below a node's cap of 50M). */
const ACCOUNTS_PER_CALL = 250;
const CALLS_PER_BLOCK = 2;

/** A position that the chain sees otherwise than we do, at one block. */
export interface Divergence {
  readonly market: string;
  readonly account: Address;
  readonly ours: Pick<AccountData, 'totalCollateralUsd8' | 'totalDebtUsd8' | 'healthFactorWad'>;
  readonly chain: ChainAccountData;
}

/** A price of the view that is not the oracle's. */
export interface WrongPrice {
  readonly market: string;
  readonly asset: Address;
  /** USD8; undefined where we had none. */
  readonly ours: bigint | undefined;
  readonly chain: bigint | undefined;
}

export interface Reconciliation {
  readonly compared: number;
  readonly divergences: readonly Divergence[];
  readonly wrongPrices: readonly WrongPrice[];
}

/** Compares our positions and prices with the chain's own word, at the view's own block. */
@Injectable()
export class Reconciler {
  constructor(private readonly chain: Chain) {}

  /**
   * The positions below `detector.watchBelowHealthFactor` against Pool.getUserAccountData, some of the others in turn, and every
   * price: 500 reads at each block, in two calls. When more are watched than fit, they take turns too.
   *
   * @returns those whose collateral or debt differs by more than 10 bps, and the prices that differ at all.
   * @throws RpcError when the chain could not be read.
   */
  async compare(view: StateView, engine: Pick<StateEngine, 'sample'>): Promise<Reconciliation> {
    const samples = engine.sample(view, ACCOUNTS_PER_CALL * CALLS_PER_BLOCK - priceCalls(view));
    const answers = await readAt(
      this.chain,
      each(
        samples.map(({ market: { market, conditions }, accounts }) =>
          together(
            conditionsRead(market, conditions.timestamp),
            each(accounts.map(({ address }) => accountDataRead(market, address))),
          ),
        ),
      ),
      view.block.hash,
      { chunk: ACCOUNTS_PER_CALL },
    );
    const divergences: Divergence[] = [];
    const wrongPrices: WrongPrice[] = [];
    let compared = 0;
    for (const [index, { market, accounts }] of samples.entries()) {
      const [chainConditions, chainData] = answers[index] ?? [market.conditions, []];
      wrongPrices.push(...wrongOf(market, chainConditions.prices));
      compared += accounts.length;
      // At the chain's own prices: a wrong price of ours does not make the position wrong.
      for (const [at, account] of accounts.entries()) {
        const chain = chainData[at];
        const ours = accountData(market.market, account, chainConditions);
        if (!chain || 'priceMissing' in ours) continue;
        const differs =
          beyondTolerance(ours.totalCollateralUsd8, chain.totalCollateralUsd8) ||
          beyondTolerance(ours.totalDebtUsd8, chain.totalDebtUsd8);
        if (differs) divergences.push({ market: market.market.name, account: account.address, ours, chain });
      }
    }
    return { compared, divergences, wrongPrices };
  }
}

function priceCalls({ markets }: StateView): number {
  return markets.reduce((sum, { market }) => sum + market.reserves.size + 1, 0);
}

function wrongOf({ market, conditions }: MarketView, prices: ReadonlyMap<Address, bigint>): WrongPrice[] {
  return [...market.reserves.values()].flatMap(({ asset }) => {
    const [ours, chain] = [conditions.prices.get(asset), prices.get(asset)];
    return ours === chain ? [] : [{ market: market.name, asset, ours, chain }];
  });
}

function beyondTolerance(ours: bigint, chain: bigint): boolean {
  const difference = ours > chain ? ours - chain : chain - ours;
  return difference * BPS > chain * TOLERANCE_BPS;
}
