import { percentDiv, percentMul, rayDiv, rayMul } from '../math.js';
import type { BalanceLog, LiquidationRules, TokenRounding } from './rules.js';

/**
 * ScaledBalanceTokenBase of 3.4 and earlier: everything rounds half up. The log holds the amount that was
 * minted or burned, less or more the interest since the account's last log. So the scaled amount is rayDiv of
 * that amount, whatever the account had before.
 */
export const HALF_UP_TOKENS: TokenRounding = {
  supplyBalance: rayMul,
  debtBalance: rayMul,
  supplyOut: rayDiv,
  debtOut: rayDiv,
  scaledDebtOf: rayDiv,
  scaledAfter: (_side, { kind, scaledBefore, value, balanceIncrease, index }: BalanceLog): bigint => {
    // _burnScaled emits a Mint when the interest is larger than what is burned: then this is negative.
    const added = kind === 'mint' ? value - balanceIncrease : -(value + balanceIncrease);
    return scaledBefore + (added < 0n ? -rayDiv(-added, index) : rayDiv(added, index));
  },
};

/** LiquidationLogic._calculateAvailableCollateralToLiquidate of 3.6 and earlier: each step rounds half up. */
export const HALF_UP_SEIZURE: Pick<LiquidationRules, 'withBonus' | 'withoutBonus' | 'protocolFee'> = {
  withBonus: percentMul,
  withoutBonus: percentDiv,
  protocolFee: percentMul,
};
