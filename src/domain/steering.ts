import { rejected, type Rejection } from './decision.js';
import type { Address } from './hex.js';
import { min } from './money.js';

/** The limits that an operator may narrow while the bot runs. USD. */
export const WORKING_LIMITS = ['maxSingleExecutionUsd', 'maxDailyVolumeUsd', 'minProfitUsd'] as const;

export type WorkingLimit = (typeof WORKING_LIMITS)[number];

interface SetBy {
  readonly reason: string;
  /** The name of the key. */
  readonly actor: string;
  readonly sinceMs: number;
}

/** What an operator has set: it holds until an operator takes it back. */
export type Setting = SetBy &
  (
    | { readonly kind: 'limit'; readonly name: WorkingLimit; readonly valueUsd8: bigint }
    /** By the configured name of the market. */
    | { readonly kind: 'paused'; readonly name: string }
    | { readonly kind: 'denied'; readonly name: Address }
  );

export type SettingKind = Setting['kind'];

/** What a setting is about. */
export type SettingKey = {
  readonly [Kind in SettingKind]: Pick<Extract<Setting, { kind: Kind }>, 'kind' | 'name'>;
}[SettingKind];

/** What settings are asked about of a plan or a position. */
export interface Steered {
  readonly protocol?: string;
  readonly borrower: Address;
  readonly netProfitUsd8?: bigint;
}

/** Why an operator does not want this to be liquidated; undefined when nothing stands against it. */
export function steeredAway(
  { protocol, borrower, netProfitUsd8 }: Steered,
  settings: readonly Setting[],
): Rejection | undefined {
  for (const setting of settings) {
    const { reason } = setting;
    if (setting.kind === 'paused' && setting.name === protocol)
      return rejected('protocol-paused', { protocol, reason });
    if (setting.kind === 'denied' && setting.name === borrower)
      return rejected('borrower-denied', { borrower, reason });
    if (setting.kind === 'limit' && setting.name === 'minProfitUsd')
      if (netProfitUsd8 !== undefined && netProfitUsd8 < setting.valueUsd8)
        return rejected('profit-below-floor', {
          netProfitUsd8: String(netProfitUsd8),
          floorUsd8: String(setting.valueUsd8),
        });
  }
  return undefined;
}

interface VolumeLimits {
  readonly maxSingleExecutionUsd8: bigint;
  readonly maxDailyVolumeUsd8: bigint;
}

/** The limits in force: those of the configuration, or what an operator has set below them. */
export function narrowed<Limits extends VolumeLimits>(limits: Limits, settings: readonly Setting[]): Limits {
  const set = (name: WorkingLimit, configured: bigint): bigint => {
    const found = settings.find((one) => one.kind === 'limit' && one.name === name);
    return found?.kind === 'limit' ? min(configured, found.valueUsd8) : configured;
  };
  const maxDailyVolumeUsd8 = set('maxDailyVolumeUsd', limits.maxDailyVolumeUsd8);
  const single = set('maxSingleExecutionUsd', limits.maxSingleExecutionUsd8);
  return { ...limits, maxDailyVolumeUsd8, maxSingleExecutionUsd8: min(single, maxDailyVolumeUsd8) };
}
