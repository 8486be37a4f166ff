import type { Address, Hash } from '../../domain/hex.js';
import type { BlueAccount, BlueLeg } from './market.js';

/**
 * An account as the database and the cache keep it. The address is left out: it is the key there. Three texts
 * for each market: its id without 0x, collateral and borrow shares, decimal, with one space between.
 */
export type StoredAccount = string;

const LEG = '[0-9a-f]{64} (?:0|[1-9]\\d{0,38}) [1-9]\\d{0,38}';
const FORM = new RegExp(`^${LEG}(?: ${LEG})*$`);

export function encodeAccount({ legs }: BlueAccount): StoredAccount {
  return legs
    .map(
      ({ marketId, collateral, borrowShares }) =>
        `${marketId.slice(2)} ${String(collateral)} ${String(borrowShares)}`,
    )
    .join(' ');
}

/**
 * The account that {@link encodeAccount} encoded, exact to the unit.
 *
 * @returns undefined for any other text. Then the position is read from the chain, never guessed.
 */
export function decodeAccount(address: Address, stored: unknown): BlueAccount | undefined {
  if (typeof stored !== 'string' || !FORM.test(stored)) return undefined;
  const texts = stored.split(' ');
  const legs: BlueLeg[] = [];
  for (let at = 0; at < texts.length; at += 3) {
    const [market = '', collateral = '', borrowShares = ''] = texts.slice(at, at + 3);
    const marketId: Hash = `0x${market}`;
    if (legs.some((leg) => leg.marketId >= marketId)) return undefined;
    const leg = { marketId, collateral: BigInt(collateral), borrowShares: BigInt(borrowShares) };
    if (leg.collateral >= 1n << 128n || leg.borrowShares >= 1n << 128n) return undefined;
    legs.push(leg);
  }
  return { address, legs };
}
