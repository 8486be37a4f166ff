import type { SafetyIntent, SafetyUsage } from '../../src/domain/authorisation.js';
import { USD8 } from '../../src/domain/money.js';
import { NO_SPEND } from '../../src/domain/spend.js';
import { anAllowance } from './allowance.js';

export const ADDRESS = `0x${'ab'.repeat(20)}` as const;

/** A plan as the limits see it, which nothing stands against. */
export function anIntent(more: Partial<SafetyIntent> = {}): SafetyIntent {
  return {
    ...{ market: `0x${'a0'.repeat(20)}`, borrower: `0x${'b0'.repeat(20)}`, protocol: 'other' },
    ...{ notionalUsd8: 100n * USD8, netProfitUsd8: 20n * USD8, reservation: NO_SPEND },
    ...more,
  };
}

export function aUsage(): Omit<SafetyUsage, 'dailyVolumeUsd8'> {
  return { inFlight: 0, operatorBalanceWei: 10n ** 18n, allowance: anAllowance() };
}
