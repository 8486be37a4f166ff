import { Injectable } from '@nestjs/common';
import type { Address } from '../domain/hex.js';
import { BPS } from '../domain/money.js';
import { accountDataRead, type ChainAccountData } from '../protocols/aave-v3/reads.js';
import type { AccountData } from '../protocols/aave-v3/health.js';
import { Chain } from '../rpc/chain.js';
import { each, readAt } from '../rpc/read.js';
import type { StateView } from './state-view.js';

/** A difference beyond this means that our picture is wrong, not that something was rounded differently. */
const TOLERANCE_BPS = 10n;

/** A position that the chain sees otherwise than we do, at one block. */
export interface Divergence {
  readonly market: string;
  readonly account: Address;
  readonly ours: Pick<AccountData, 'totalCollateralUsd8' | 'totalDebtUsd8' | 'healthFactorWad'>;
  readonly chain: ChainAccountData;
}

/** Compares our positions with Pool.getUserAccountData, at the view's own block. */
@Injectable()
export class Reconciler {
  constructor(private readonly chain: Chain) {}

  /**
   * Every position of the view: those with a health factor below `detector.watchBelowHealthFactor`.
   * @returns those whose collateral or debt differs by more than 10 bps.
   * @throws RpcError when the chain could not be read.
   */
  async divergences(view: StateView): Promise<Divergence[]> {
    const watched = view.markets.flatMap(({ market, positions }) =>
      [...positions.values()].flatMap(({ account, data }) =>
        'legs' in data ? [{ market, account: account.address, ours: data }] : [],
      ),
    );
    const answers = await readAt(
      this.chain,
      each(watched.map(({ market, account }) => accountDataRead(market, account))),
      view.block.hash,
    );
    return watched.flatMap(({ market, account, ours }, index) => {
      const chain = answers[index];
      if (!chain) return [];
      const differs =
        beyondTolerance(ours.totalCollateralUsd8, chain.totalCollateralUsd8) ||
        beyondTolerance(ours.totalDebtUsd8, chain.totalDebtUsd8);
      return differs ? [{ market: market.name, account, ours, chain }] : [];
    });
  }
}

function beyondTolerance(ours: bigint, chain: bigint): boolean {
  const difference = ours > chain ? ours - chain : chain - ours;
  return difference * BPS > chain * TOLERANCE_BPS;
}
