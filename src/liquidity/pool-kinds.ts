import { ConcentratedKind } from './concentrated/concentrated-kind.js';
import type { PoolKind } from './pool-kind.js';
import { SolidlyKind } from './solidly/solidly-kind.js';

/** The kinds of factories that the configuration may name. */
export const POOL_KINDS = {
  /** Fee tiers in pips; 200, 300 and 400 are of Base. */
  'uniswap-v3': new ConcentratedKind([100, 200, 300, 400, 500, 3000, 10_000], 'fee'),
  'pancake-v3': new ConcentratedKind([100, 500, 2500, 10_000], 'fee'),
  /** Tick spacings. */
  slipstream: new ConcentratedKind([1, 10, 50, 60, 100, 200, 2000], 'spacing'),
  solidly: new SolidlyKind(),
} as const satisfies Readonly<Record<string, PoolKind>>;

export type PoolKindName = keyof typeof POOL_KINDS;
