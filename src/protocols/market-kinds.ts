import type { ProtocolConfig } from '../config/index.js';
import type { DebtLook, Step } from '../contract/plan.js';
import { chainDescription } from '../domain/chain-description.js';
import type { LiquidationCandidate, LiquidationPair, Sizing, SizingTerms } from '../domain/opportunity.js';
import type { LiquidationSearch, PastLiquidation } from '../domain/past-liquidations.js';
import type { FeedBook } from '../oracles/feed-book.js';
import type { PriceGuard } from '../oracles/price-guard.js';
import type { Chain } from '../rpc/chain/chain.js';
import { AaveV3Market } from './aave-v3/aave-v3-market.js';
import { AaveV3Reader } from './aave-v3/aave-v3.reader.js';
import { leavingOpen, pairsAfter } from './aave-v3/after.js';
import { payableCandidate, sizedCandidate } from './aave-v3/candidates.js';
import { debtLook } from './aave-v3/debt-look.js';
import { pastLiquidations } from './aave-v3/past-liquidations.js';
import { tokenPricesOf as aaveTokenPrices } from './aave-v3/token-prices.js';
import { leavingOpen as compoundLeavingOpen, pairsAfter as compoundPairsAfter } from './compound-v2/after.js';
import {
  compoundStep,
  payableCandidate as compoundPayable,
  sizedCandidate as compoundSized,
} from './compound-v2/candidates.js';
import { CompoundV2Market } from './compound-v2/compound-v2-market.js';
import { CompoundV2Reader } from './compound-v2/compound-v2.reader.js';
import { debtLook as compoundLook } from './compound-v2/debt-look.js';
import { pastLiquidations as compoundLiquidations } from './compound-v2/past-liquidations.js';
import { tokenPricesOf as compoundTokenPrices } from './compound-v2/token-prices.js';
import type { LendingMarket } from './lending-market.js';
import * as morphoBlue from './morpho-blue/candidates.js';
import { debtLook as morphoBlueLook } from './morpho-blue/debt-look.js';
import { withNativeFeed } from './morpho-blue/followed-market.js';
import { MorphoBlueMarket } from './morpho-blue/morpho-blue-market.js';
import { pastLiquidations as morphoBlueLiquidations } from './morpho-blue/past-liquidations.js';
import { TokenPrices, type TokenPriceSource } from './token-prices.js';

/** What every family of markets may build on. */
export interface MarketParts {
  readonly chain: Chain;
  readonly feeds: FeedBook;
  readonly guard: PriceGuard;
  readonly tokenPrices: TokenPrices;
  /**
   *  Wad. Positions below the first may be liquidated; positions below the second are compared with the chain
   * first.
   */
  readonly healthFactors: { readonly decideBelowWad: bigint; readonly watchBelowWad: bigint };
}

/**
 * When the debt tokens are there: before the market is called, or `after` it has given the collateral. The
 * second is asked of families with `collateralFirst` only.
 */
export type Funded = 'before' | 'after';

interface MarketKind<Settings> {
  /** Makes the market of a configured protocol. */
  readonly market: (settings: Settings, parts: MarketParts) => LendingMarket;
  /** How its oracle tells the prices of tokens to other markets; undefined where it must not be believed. */
  readonly tokenPrices: ((settings: Settings) => TokenPriceSource) | undefined;
  /** See {@link sizePair}. */
  readonly size: (
    terms: SizingTerms,
    debtToCover: bigint,
    sizing: Sizing,
  ) => LiquidationCandidate | undefined;
  /** See {@link sizePayable}. */
  readonly sizePayable: (terms: SizingTerms, payable: bigint) => LiquidationCandidate | undefined;
  /** See {@link lookBefore}. */
  readonly look: (terms: SizingTerms, debtToCover: bigint) => DebtLook;
  /** See {@link stepOf}. */
  readonly step: (terms: SizingTerms, candidate: LiquidationCandidate, funded: Funded) => Step;
  /**
   * Gas that a liquidation takes by itself, with a swap over one pool: assumed until a simulation tells it.
   */
  readonly gas: bigint;
  /**
   * The market gives the collateral before it takes the debt, in a callback. Then a liquidation needs no
   * loan: it is offered the funding `callback`.
   */
  readonly collateralFirst: boolean;
  /** See {@link afterStep}. */
  readonly after: (
    pairs: readonly LiquidationPair[],
    pair: LiquidationPair,
    candidate: LiquidationCandidate,
  ) => readonly LiquidationPair[];
  /** See {@link sizesLeavingOpen}. */
  readonly leavingOpen: (pair: LiquidationPair) => readonly LiquidationCandidate[];
  /** See {@link liquidationsOf}. */
  readonly liquidations: (chain: Chain, search: LiquidationSearch) => Promise<readonly PastLiquidation[]>;
}

/** The lending families, by the `kind` of the configuration. A new family adds its entry here. */
const MARKET_KINDS: {
  readonly [Kind in ProtocolConfig['kind']]: MarketKind<Extract<ProtocolConfig, { kind: Kind }>>;
} = {
  'aave-v3': {
    market: (settings, { chain, feeds, guard, healthFactors }) =>
      new AaveV3Market({ chain, reader: new AaveV3Reader(chain), feeds, guard }, settings, healthFactors),
    tokenPrices: ({ addressesProvider }) => aaveTokenPrices(addressesProvider),
    size: sizedCandidate,
    sizePayable: payableCandidate,
    look: debtLook,
    step: () => ({ kind: 'liquidate' }),
    gas: 350_000n,
    collateralFirst: false,
    after: pairsAfter,
    leavingOpen,
    liquidations: pastLiquidations,
  },
  'compound-v2': {
    market: (settings, { chain, feeds, guard, healthFactors }) =>
      new CompoundV2Market(
        { chain, reader: new CompoundV2Reader(chain), feeds, guard },
        settings,
        healthFactors,
      ),
    tokenPrices: compoundTokenPrices,
    size: compoundSized,
    sizePayable: compoundPayable,
    look: compoundLook,
    step: compoundStep,
    // With the redemption, and the rewards that Moonwell pays on the way.
    gas: 900_000n,
    collateralFirst: false,
    after: compoundPairsAfter,
    leavingOpen: compoundLeavingOpen,
    liquidations: compoundLiquidations,
  },
  'morpho-blue': {
    market: (settings, { chain, feeds, guard, tokenPrices, healthFactors }) =>
      new MorphoBlueMarket(
        { chain, feeds, guard, tokenPrices },
        withNativeFeed(settings, chainDescription(chain.chainId).wrappedNative, feeds.nativeUsdFeed),
        healthFactors,
      ),
    // Whoever makes a market chooses its oracle.
    tokenPrices: undefined,
    size: morphoBlue.sizedCandidate,
    sizePayable: morphoBlue.payableCandidate,
    look: morphoBlueLook,
    step: morphoBlue.stepOf,
    gas: 250_000n,
    collateralFirst: true,
    // There is no close factor: what two liquidations take, one takes.
    after: () => [],
    leavingOpen: () => [],
    liquidations: morphoBlueLiquidations,
  },
};

export function marketOf(settings: ProtocolConfig, parts: MarketParts): LendingMarket {
  // Each kind by its own name: the compiler does not see that a row fits the settings of its kind.
  switch (settings.kind) {
    case 'aave-v3':
      return MARKET_KINDS['aave-v3'].market(settings, parts);
    case 'compound-v2':
      return MARKET_KINDS['compound-v2'].market(settings, parts);
    case 'morpho-blue':
      return MARKET_KINDS['morpho-blue'].market(settings, parts);
  }
}

/** What the oracles of these markets say of tokens. */
export function tokenPricesOf(protocols: readonly ProtocolConfig[], chain: Chain): TokenPrices {
  const sources = protocols.flatMap((settings) => {
    switch (settings.kind) {
      case 'aave-v3':
        return MARKET_KINDS['aave-v3'].tokenPrices?.(settings) ?? [];
      case 'compound-v2':
        return MARKET_KINDS['compound-v2'].tokenPrices?.(settings) ?? [];
      case 'morpho-blue':
        return MARKET_KINDS['morpho-blue'].tokenPrices?.(settings) ?? [];
    }
  });
  return new TokenPrices(chain, sources);
}

/** The liquidations of a position in the logs of its market, in the order of the chain. @throws RpcError */
export function liquidationsOf(
  kind: ProtocolConfig['kind'],
  chain: Chain,
  search: LiquidationSearch,
): Promise<readonly PastLiquidation[]> {
  return MARKET_KINDS[kind].liquidations(chain, search);
}

/**
 * The candidate of a pair that covers `debtToCover` debt token units, or undefined where the protocol would
 * refuse the amount. Pure: the same pair gives the same candidate, also when it was stored and read back.
 *
 * @throws TypeError when no lending family is of the kind of the pair.
 */
export function sizePair(
  { terms }: LiquidationPair,
  debtToCover: bigint,
  sizing: Sizing,
): LiquidationCandidate | undefined {
  return kindOf(terms).size(terms, debtToCover, sizing);
}

/**
 * The candidate of a pair that covers the most debt while the market pays out no more collateral than this;
 * undefined where there is none. Pure, as {@link sizePair}.
 *
 * @param payable collateral units.
 * @throws TypeError as {@link sizePair}
 */
export function sizePayable({ terms }: LiquidationPair, payable: bigint): LiquidationCandidate | undefined {
  return kindOf(terms).sizePayable(terms, payable);
}

/**
 * Where our contract looks before a liquidation of the pair that covers `debtToCover` debt token units, so
 * that a lost race ends early. Pure, as {@link sizePair}.
 *
 * @throws TypeError as {@link sizePair}
 */
export function lookBefore({ terms }: LiquidationPair, debtToCover: bigint): DebtLook {
  return kindOf(terms).look(terms, debtToCover);
}

/**
 * The step of our contract that liquidates this candidate of the pair. Pure, as {@link sizePair}.
 *
 * @param funded `after` only where {@link givesCollateralFirst} says so.
 * @throws TypeError as {@link sizePair}
 */
export function stepOf(
  { terms }: Pick<LiquidationPair, 'terms'>,
  candidate: LiquidationCandidate,
  funded: Funded,
): Step {
  return kindOf(terms).step(terms, candidate, funded);
}

/**
 * Gas that a liquidation of the pair takes by itself, with a swap over one pool.
 *
 * @throws TypeError as {@link sizePair}
 */
export function gasOf({ terms }: Pick<LiquidationPair, 'terms'>): bigint {
  return kindOf(terms).gas;
}

/** Whether the market of the pair pays before it is paid. @throws TypeError as {@link sizePair} */
export function givesCollateralFirst({ terms }: Pick<LiquidationPair, 'terms'>): boolean {
  return kindOf(terms).collateralFirst;
}

/**
 * What may be liquidated of a position after a candidate of one of its pairs, in the same transaction.
 * Nothing where the market would refuse any more. Pure, as {@link sizePair}.
 *
 * @throws TypeError as {@link sizePair}
 */
export function afterStep(
  pairs: readonly LiquidationPair[],
  pair: LiquidationPair,
  candidate: LiquidationCandidate,
): readonly LiquidationPair[] {
  return kindOf(pair.terms).after(pairs, pair, candidate);
}

/**
 * The largest candidates of a pair that leave the position open to another step: to all that is left, or to
 * the share of it that the market allows. Pure, as {@link sizePair}.
 *
 * @throws TypeError as {@link sizePair}
 */
export function sizesLeavingOpen(pair: LiquidationPair): readonly LiquidationCandidate[] {
  return kindOf(pair.terms).leavingOpen(pair);
}

type Sized = Omit<MarketKind<never>, 'market' | 'tokenPrices' | 'liquidations'>;

function kindOf({ kind: name }: SizingTerms): Sized {
  const kinds: Readonly<Record<string, Sized | undefined>> = MARKET_KINDS;
  const kind = kinds[name];
  if (!kind) throw new TypeError(`no lending family is of the kind "${name}"`);
  return kind;
}
