import type { AtRisk, SizeLimits } from '../domain/at-risk.js';
import type { Address, Hash } from '../domain/hex.js';
import type { NearPosition } from '../domain/near-position.js';
import type { Asset } from '../domain/opportunity.js';
import type { Read } from '../rpc/chain/read.js';
import type { FollowedAccounts, RestoreStep } from '../state/followed.js';
import type { FeedsBehind } from './scan/feeds-behind.js';

/** So far ahead the markets compute which positions interest alone opens: two blocks of Ethereum and more. */
export const OPENING_HORIZON_SECONDS = 30;

/** A market and its positions at one block. */
export interface MarketView {
  /** All accounts with debt. */
  readonly borrowerCount: number;
  /** What the market's own oracle says of an asset, USD8; undefined where it has no price of it. */
  priceUsd8(asset: Address): bigint | undefined;
  /**
   * Every position with a health factor below 1 and every position that cannot be valued, with the
   * liquidations that are possible. Each is computed when it is asked for. Positions of one of many markets
   * that has no price are left out: `coverage` names the market.
   */
  atRisk(limits: SizeLimits): Iterable<AtRisk>;
  /**
   * Every position that interest alone brings below a health factor of 1 within
   * {@link OPENING_HORIZON_SECONDS}, as it will be at that second, which is `schedule.opensAt`. The earliest
   * comes first.
   */
  aboutToOpen(limits: SizeLimits): Iterable<AtRisk>;
  /**
   * Every position below a health factor, in no order, computed one by one as they are taken. Undefined
   * stands for a position that was looked at and is not among them, so that the caller can pause in between.
   * Only of the newest view.
   *
   * @param belowWad at most the health factor up to which the market watches positions.
   */
  near(belowWad: bigint): Iterable<NearPosition | undefined>;
}

/** A contract that our own contract must be allowed to call. */
export interface Counterparty {
  readonly address: Address;
  /** Its kind in the list of our contract (Roles.sol, Kind). */
  readonly kind: number;
  /** Its name within a sentence, for example "an Aave v3 market". */
  readonly description: string;
}

/**
 * A lending market. Its logs keep its positions exact, and it knows which positions may be liquidated. Each
 * protocol family has one implementation in a folder of its own; `market-kinds.ts` lists them.
 */
export interface LendingMarket<
  View extends MarketView = MarketView,
  Step extends RestoreStep = RestoreStep,
  Undo = unknown,
  Answers = unknown,
> extends FollowedAccounts<View, Step, Undo, Answers> {
  /** What may be seized or repaid, with the prices of the last view; none before the first. */
  readonly tokens: readonly Asset[];
  /** The account that keeps what is supplied of a token; undefined: it is not known, or has none. */
  holderOf(token: Address): Address | undefined;
  /** The contracts that the check at start expects, each with its key in the configuration. */
  readonly contracts: readonly (readonly [key: string, Address])[];
  /**
   * The look at the market at start.
   *
   * @returns one sentence for everything for which the bot cannot start with it; why this market alone is
   *   left out, where its rules are not known; and what its own oracle says of an asset, USD8.
   * @throws RetryError when the chain cannot be read.
   */
  examine(
    block: Hash,
    asset: Address,
  ): Promise<{
    readonly problems: readonly string[];
    readonly refusal?: string;
    readonly priceUsd8: bigint | undefined;
  }>;
  /** The feeds behind the prices of a view, and the debt behind each. */
  feedsBehind(view: View): FeedsBehind;
  /** The contract that our own contract calls to liquidate. */
  counterparty(): Read<Counterparty>;
}

/** The configured markets, in the order of the configuration. */
export abstract class LendingMarkets {
  abstract readonly all: readonly LendingMarket[];
}
