import { percentDiv, percentDivFloor, percentMul, percentMulCeil, percentMulFloor } from './math.js';

/**
 * What differs between the versions of Aave v3 that this bot liquidates on. All of them (3.5 and later) share
 * the health factor, the close factor, the rule against leftovers and the rounding of balances.
 */
export interface LiquidationRules {
  readonly version: string;
  /** Whether the pool asks the PriceOracleSentinel before a liquidation. */
  readonly asksSentinel: boolean;
  /** Collateral with its bonus, from collateral without. */
  readonly withBonus: (collateral: bigint, bonusBps: bigint) => bigint;
  /** Collateral without its bonus, from collateral with. */
  readonly withoutBonus: (collateral: bigint, bonusBps: bigint) => bigint;
  /** The protocol's share of a bonus. */
  readonly protocolFee: (bonus: bigint, feeBps: bigint) => bigint;
}

/** LiquidationLogic._calculateAvailableCollateralToLiquidate of 3.5 and 3.6: each step rounds half up. */
const HALF_UP: Omit<LiquidationRules, 'version' | 'asksSentinel'> = {
  withBonus: percentMul,
  withoutBonus: percentDiv,
  protocolFee: percentMul,
};

/**
 * The same function in 3.7: each step rounds in favour of the protocol. No test proves this against the
 * contract, because the sources of 3.7 are not packaged.
 */
const FOR_PROTOCOL: Omit<LiquidationRules, 'version' | 'asksSentinel'> = {
  withBonus: percentMulFloor,
  withoutBonus: percentDivFloor,
  protocolFee: percentMulCeil,
};

const BY_POOL_REVISION: ReadonlyMap<number, LiquidationRules> = new Map([
  [9, { version: '3.5', asksSentinel: true, ...HALF_UP }],
  [10, { version: '3.6', asksSentinel: true, ...HALF_UP }],
  [11, { version: '3.7', asksSentinel: false, ...FOR_PROTOCOL }],
]);

/** The rules of a pool by its POOL_REVISION; undefined for a version that this bot does not know. */
export function rulesOf(poolRevision: number): LiquidationRules | undefined {
  return BY_POOL_REVISION.get(poolRevision);
}

/** The rules of a stored version. @throws RangeError for a version that this bot does not know. */
export function rulesOfVersion(version: string): LiquidationRules {
  const rules = BY_VERSION.get(version);
  if (!rules) throw new RangeError(`the liquidation rules of Aave "${version}" are not known`);
  return rules;
}

const BY_VERSION = new Map([...BY_POOL_REVISION.values()].map((rules) => [rules.version, rules]));

export const SUPPORTED_VERSIONS = [...BY_POOL_REVISION.values()].map((rules) => rules.version).join(', ');
