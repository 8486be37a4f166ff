import { mulDivCeil } from '../../../domain/money.js';
import {
  aTokenBalance,
  aTokenScaledOut,
  debtTokenBalance,
  debtTokenScaledOut,
  healthFactorOf,
  percentDivCeil,
  scaledOfATokenBalance,
  scaledOfDebtTokenBalance,
} from '../math.js';
import type { BalanceLog, LiquidationRules, TokenRounding } from './rules.js';
import { V3_4 } from './v3-3.js';

/**
 * TokenMath: each step rounds in favour of the protocol.
 *
 * ScaledBalanceTokenBase._mintScaled and _burnScaled: the log's value is the balance after the call less the
 * balance that was last booked; balanceIncrease is the balance before the call, with its interest, less the
 * balance that was last booked. So the balance after the call is known, and with it the scaled balance.
 */
const FOR_PROTOCOL: TokenRounding = {
  supplyBalance: aTokenBalance,
  debtBalance: debtTokenBalance,
  supplyOut: aTokenScaledOut,
  debtOut: debtTokenScaledOut,
  scaledDebtOf: scaledOfDebtTokenBalance,
  scaledAfter: (side, { kind, scaledBefore, value, balanceIncrease, index }: BalanceLog): bigint => {
    const [balanceOf, scaledOf] =
      side === 'supply'
        ? [aTokenBalance, scaledOfATokenBalance]
        : [debtTokenBalance, scaledOfDebtTokenBalance];
    const before = balanceOf(scaledBefore, index);
    const after = before - balanceIncrease + (kind === 'mint' ? value : -value);
    return after < 0n ? after : scaledOf(after, index);
  },
};

/** Balances, values and debts round in favour of the protocol; the health factor has no average threshold. */
export const V3_5: LiquidationRules = {
  ...V3_4,
  version: '3.5',
  tokens: FOR_PROTOCOL,
  debtUsd8: mulDivCeil,
  healthFactorWad: ({ weightedThreshold, totalDebtUsd8 }) => healthFactorOf(weightedThreshold, totalDebtUsd8),
  thresholdLossBps: 0n,
  ignoresWithoutThreshold: false,
  booksCollateralInterest: true,
  debtWithoutBonus: percentDivCeil,
};
