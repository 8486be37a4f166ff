import { V3_0, V3_1, V3_2 } from './rules/v3-0.js';
import { V3_3, V3_4 } from './rules/v3-3.js';
import { V3_5 } from './rules/v3-5.js';
import { V3_6 } from './rules/v3-6.js';
import { V3_7 } from './rules/v3-7.js';
import type { LiquidationRules } from './rules/rules.js';

/** Functions that came with a version and stayed. Whether a pool has them tells its version. */
export interface VersionFunctions {
  /** 3.1: getVirtualUnderlyingBalance. */
  readonly virtualBalance: boolean;
  /** 3.2: getEModeCategoryCollateralBitmap. */
  readonly eModeBitmap: boolean;
  /** 3.3: getReserveDeficit. */
  readonly reserveDeficit: boolean;
  /** 3.4: RESERVE_INTEREST_RATE_STRATEGY. */
  readonly oneRateStrategy: boolean;
}

/** Since 3.5 a revision is one version. */
const BY_POOL_REVISION: ReadonlyMap<number, LiquidationRules> = new Map([
  [9, V3_5],
  [10, V3_6],
  [11, V3_7],
]);

/**
 * Up to this revision the number does not tell the version. 3.0.2 has revision 1 in its own source, and has
 * it on every chain where it was deployed first; on chains that were upgraded it has 3. Revision 6 is 3.2 on
 * Ethereum, and 3.3 in the source of aave-v3-origin; 7 is 3.3 there, and 3.4 in the source; 8 is 3.4 on
 * Ethereum. So the pool's functions tell.
 */
const LAST_TOLD_BY_FUNCTIONS = 8;

const OLD_VERSIONS = [V3_0, V3_1, V3_2, V3_3, V3_4] as const;

/** Whether the functions have to be known, beside the revision. */
export function needsFunctions(poolRevision: number): boolean {
  return poolRevision >= 1 && poolRevision <= LAST_TOLD_BY_FUNCTIONS;
}

/**
 * The rules of a pool by its POOL_REVISION, and by its functions where the revision does not tell. Undefined
 * for a version that this bot does not know: another revision, or a later function without an earlier one.
 */
export function rulesOf(
  poolRevision: number,
  { virtualBalance, eModeBitmap, reserveDeficit, oneRateStrategy }: VersionFunctions = NO_FUNCTIONS,
): LiquidationRules | undefined {
  if (!needsFunctions(poolRevision)) return BY_POOL_REVISION.get(poolRevision);
  const steps = [virtualBalance, eModeBitmap, reserveDeficit, oneRateStrategy];
  const count = steps.lastIndexOf(true) + 1;
  return steps.slice(0, count).every(Boolean) ? OLD_VERSIONS[count] : undefined;
}

const NO_FUNCTIONS: VersionFunctions = {
  virtualBalance: false,
  eModeBitmap: false,
  reserveDeficit: false,
  oneRateStrategy: false,
};

/** The rules of a stored version. @throws RangeError for a version that this bot does not know. */
export function rulesOfVersion(version: string): LiquidationRules {
  const rules = BY_VERSION.get(version);
  if (!rules) throw new RangeError(`the liquidation rules of Aave "${version}" are not known`);
  return rules;
}

const KNOWN = [...OLD_VERSIONS, ...BY_POOL_REVISION.values()];
const BY_VERSION = new Map(KNOWN.map((rules) => [rules.version, rules]));

export const SUPPORTED_VERSIONS = KNOWN.map((rules) => rules.version).join(', ');
