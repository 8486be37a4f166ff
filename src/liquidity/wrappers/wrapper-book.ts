import { Injectable } from '@nestjs/common';
import { Clock } from '../../domain/clock.js';
import type { Address } from '../../domain/hex.js';
import type { Asset } from '../../domain/opportunity.js';
import { each, type Read } from '../../rpc/chain/read.js';
import type { FollowedName } from '../../state/followed.js';
import { AskedBook } from '../asked-book.js';
import type { PoolsView } from '../pool-book.js';
import { wrapperRead, type ConfiguredWrapper } from './wrapper-kinds.js';
import type { WrapperPool } from './wrapper-pool.js';

/** By which {@link StateView} has the wrappers. */
export const WRAPPERS: FollowedName<readonly WrapperPool[]> = { name: 'wrappers' };

/** The configured tokens that can be taken apart, with their rates and limits. */
@Injectable()
export class WrapperBook extends AskedBook<readonly WrapperPool[]> {
  readonly name = WRAPPERS.name;
  private holderOf: (token: Address) => Address | undefined = () => undefined;

  constructor(
    private readonly wrappers: readonly ConfiguredWrapper[],
    clock: Clock = new Clock(),
  ) {
    super([], clock);
  }

  /** @param holderOf an account that holds much of a token: where a market keeps its collateral. */
  serve(holderOf: (token: Address) => Address | undefined): void {
    this.holderOf = holderOf;
  }

  /** What is inside of those that are known. */
  get insides(): readonly Address[] {
    return this.view(undefined).map(({ state }) => state.inside);
  }

  protected question(): Read<readonly WrapperPool[]> {
    const { calls, decode } = each(
      this.wrappers.map((wrapper) => wrapperRead(wrapper, this.holderOf(wrapper.token))),
    );
    return { calls, decode: (results) => decode(results).flatMap((pool) => pool ?? []) };
  }
}

/** The pools, and the wrappers among them. */
export function withWrappers(view: PoolsView, wrappers: readonly WrapperPool[]): PoolsView {
  if (wrappers.length === 0) return view;
  const pools = new Map(view.pools);
  for (const wrapper of wrappers) pools.set(wrapper.address, wrapper);
  return { ...view, pools };
}

/** The tokens, and what is inside of wrappers, so that pools of it are looked for. It may have no price. */
export function withInsides(tokens: readonly Asset[], insides: readonly Address[]): readonly Asset[] {
  const others = insides.filter((inside) => !tokens.some(({ address }) => address === inside));
  if (tokens.length === 0 || others.length === 0) return tokens;
  return [...tokens, ...others.map((address) => ({ address, symbol: '', decimals: 0, priceUsd8: 0n }))];
}
