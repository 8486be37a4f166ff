import type { Address } from '../../src/domain/hex.js';
import { RAY } from '../../src/domain/money.js';
import type { AaveMarket, MarketConditions, Reserve } from '../../src/protocols/aave-v3/market.js';
import { rulesOf } from '../../src/protocols/aave-v3/versions.js';

/** A made-up address. */
export const addressOf = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`;

const reserve = (id: number, decimals: number): Reserve => ({
  id,
  asset: addressOf(1000 + id),
  symbol: `R${id}`,
  decimals,
  aToken: addressOf(2000 + id),
  variableDebtToken: addressOf(3000 + id),
  liquidationThresholdBps: 7_800n + BigInt(id),
  liquidationBonusBps: 10_500n,
  liquidationProtocolFeeBps: 1_000n,
  active: true,
  paused: false,
  gracePeriodUntil: 0,
  indexes: {
    liquidityIndex: RAY + BigInt(id) * 10n ** 25n,
    liquidityRate: 3n * 10n ** 25n,
    variableBorrowIndex: RAY + BigInt(id) * 3n * 10n ** 25n,
    variableBorrowRate: 5n * 10n ** 25n,
    updatedAt: 1_000,
  },
});

/** The reserves of {@link MARKET}. One of them has the highest possible reserve id. */
export const RESERVES = [reserve(0, 18), reserve(1, 6), reserve(2, 8), reserve(127, 27)];
const RULES = rulesOf(10);
if (!RULES) throw new Error('Aave v3.6 was expected to be known');
export const MARKET: AaveMarket = {
  name: 'aave',
  addressesProvider: addressOf(1),
  pool: addressOf(2),
  poolConfigurator: addressOf(3),
  oracle: addressOf(4),
  sentinel: undefined,
  rules: RULES,
  reserves: new Map(RESERVES.map((one) => [one.id, one])),
  eModes: new Map([
    [
      255,
      { id: 255, liquidationThresholdBps: 9_300n, liquidationBonusBps: 10_100n, collateralBitmap: 0b101n },
    ],
  ]),
};
export const PRICES = [3_000n, 1n, 90_000n, 7n].map((dollars) => dollars * 10n ** 8n);
/** @param prices 0: the asset has none. */
export const conditions = (prices: readonly bigint[] = PRICES, timestamp = 90_000): MarketConditions => ({
  timestamp,
  prices: new Map(RESERVES.flatMap(({ asset }, index) => (prices[index] ? [[asset, prices[index]]] : []))),
  sentinelAllows: true,
});
