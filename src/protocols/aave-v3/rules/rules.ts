/** A scaled amount and an index in ray, or an amount and an index. */
export type ByIndex = (amount: bigint, index: bigint) => bigint;

/** How aTokens and variable debt tokens round between amounts and what they store. */
export interface TokenRounding {
  /** What an aToken balance is worth: units of the asset, from the scaled balance. */
  readonly supplyBalance: ByIndex;
  /** What a variable debt amounts to: units of the asset, from the scaled debt. */
  readonly debtBalance: ByIndex;
  /** The scaled supply that burning or sending an amount takes. */
  readonly supplyOut: ByIndex;
  /** The scaled debt that repaying an amount takes. */
  readonly debtOut: ByIndex;
  /** The scaled debt behind a {@link debtBalance}: exact, because an index is never below one ray. */
  readonly scaledDebtOf: ByIndex;
  /** The scaled balance after a Mint or Burn log. Negative: the log takes more than there was. */
  readonly scaledAfter: (side: 'supply' | 'debt', log: BalanceLog) => bigint;
}

/** What a Mint or Burn log of an aToken or a debt token says (ScaledBalanceTokenBase). */
export interface BalanceLog {
  readonly kind: 'mint' | 'burn';
  readonly scaledBefore: bigint;
  readonly value: bigint;
  readonly balanceIncrease: bigint;
  /** Ray, at least one ray. */
  readonly index: bigint;
}

/** What a pool's contracts have, which decides what can be asked of them. */
export interface PoolFunctions {
  /** Before 3.2 a reserve names its only e-mode; since then an e-mode has a bitmap of its collaterals. */
  readonly eModes: 'one-for-each-reserve' | 'bitmaps';
  /** Since 3.1: getLiquidationGracePeriod. */
  readonly gracePeriods: boolean;
  /** Since 3.1: getVirtualUnderlyingBalance. Until 3.3 a reserve may be without it. */
  readonly virtualBalances: 'none' | 'some' | 'all';
  /** Before 3.2: a borrower may owe at a stable rate. */
  readonly stableDebt: boolean;
}

/** The totals of an account: USD8, and USD8 times basis points. */
export interface HealthTotals {
  readonly totalCollateralUsd8: bigint;
  readonly totalDebtUsd8: bigint;
  /** Σ collateral · LT. */
  readonly weightedThreshold: bigint;
}

/**
 * What differs between the versions of Aave v3. Everything that no member names is the same in all of them:
 * the thresholds of the close factor, what must not be left behind, the formula of the seizure.
 */
export interface LiquidationRules {
  readonly version: string;
  readonly functions: PoolFunctions;
  readonly tokens: TokenRounding;
  /** The value of a debt: USD8, from units of the asset, its price and its unit. */
  readonly debtUsd8: (debt: bigint, priceUsd8: bigint, unit: bigint) => bigint;
  /** Wad; UINT256_MAX without debt. */
  readonly healthFactorWad: (totals: HealthTotals) => bigint;
  /**
   * Basis points by which rounding may lower the thresholds of an account's collateral, all of them together,
   * below their average.
   */
  readonly thresholdLossBps: bigint;
  /** MathUtils.calculateCompoundedInterest: by powers of e, or by the binomial formula. */
  readonly compounding: 'exponential' | 'binomial';
  /** Whether a collateral with a liquidation threshold of 0 counts for nothing in the totals. */
  readonly ignoresWithoutThreshold: boolean;
  /** Whether a liquidation that pays in aTokens books the interest of the collateral's reserve. */
  readonly booksCollateralInterest: boolean;
  /** Whether the pool asks the PriceOracleSentinel before a liquidation. */
  readonly asksSentinel: boolean;
  /**
   * What half of which may be covered while the health factor is above 0.95: this reserve's debt, or the
   * whole position's, where both sides are worth $2,000 at least.
   */
  readonly closeFactorOf: 'reserve' | 'position';
  /** Whether a liquidation must clear a side or leave $1,000 on both (MustNotLeaveDust). */
  readonly forbidsDust: boolean;
  /** Debt that a whole collateral covers, from that debt with the bonus. */
  readonly debtWithoutBonus: (debt: bigint, bonusBps: bigint) => bigint;
  /** Collateral with its bonus, from collateral without. */
  readonly withBonus: (collateral: bigint, bonusBps: bigint) => bigint;
  /** Collateral without its bonus, from collateral with. */
  readonly withoutBonus: (collateral: bigint, bonusBps: bigint) => bigint;
  /** The protocol's share of a bonus. */
  readonly protocolFee: (bonus: bigint, feeBps: bigint) => bigint;
}
