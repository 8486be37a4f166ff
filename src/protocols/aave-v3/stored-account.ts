import type { Address } from '../../domain/hex.js';
import type { AaveAccount, Leg } from './market.js';

/**
 * An account as the database and the cache keep it. The address is left out: it is the key there. First the
 * e-mode, then four numbers for each leg: reserve, scaled supply, 1 when the supply is used as collateral
 * (else 0), scaled debt. All are decimal, with one space between. JSON arrays would take twice as long to
 * load.
 */
export type StoredAccount = string;

const FORM = /^\d{1,3}(?: \d{1,3} (?:0|[1-9]\d{0,77}) [01] (?:0|[1-9]\d{0,77}))*$/;
/** The e-mode is a uint8, a reserve one of 128 (ReserveConfiguration.MAX_RESERVES_COUNT). */
const EMODES = 256;
const RESERVES = 128;

export function encodeAccount({ eMode, legs }: AaveAccount): StoredAccount {
  const numbers = legs.map(
    ({ reserveId, scaledSupply, usedAsCollateral, scaledDebt }) =>
      `${reserveId} ${String(scaledSupply)} ${usedAsCollateral ? 1 : 0} ${String(scaledDebt)}`,
  );
  return [eMode, ...numbers].join(' ');
}

/**
 * The account that {@link encodeAccount} encoded, exact to the unit.
 *
 * @returns undefined for any other text. Then the position is read from the chain, never guessed.
 */
export function decodeAccount(address: Address, stored: unknown): AaveAccount | undefined {
  if (typeof stored !== 'string' || !FORM.test(stored)) return undefined;
  const [eModeText, ...numbers] = stored.split(' ');
  const eMode = Number(eModeText);
  if (eMode >= EMODES) return undefined;
  const legs: Leg[] = [];
  for (let at = 0; at < numbers.length; at += 4) {
    const [reserve, supply, used, debt] = numbers.slice(at, at + 4);
    const reserveId = Number(reserve);
    if (supply === undefined || debt === undefined || reserveId >= RESERVES) return undefined;
    if (legs.some((leg) => leg.reserveId === reserveId)) return undefined;
    legs.push({
      reserveId,
      scaledSupply: BigInt(supply),
      usedAsCollateral: used === '1',
      scaledDebt: BigInt(debt),
    });
  }
  return { address, eMode, legs };
}
