import type { Address } from '../../domain/hex.js';
import type { CompoundAccount, Leg } from './market.js';

/**
 * An account as the database and the cache keep it. The address is left out: it is the key there. Five
 * numbers
 * for each leg: the market's id, 1 when it is entered (else 0), mTokens, principal, interest index. All are
 * decimal, with one space between.
 */
export type StoredAccount = string;

const NUMBER = String.raw`(?:0|[1-9]\d{0,77})`;
const LEG = String.raw`\d{1,5} [01] ${NUMBER} ${NUMBER} ${NUMBER}`;
const FORM = new RegExp(`^(?:${LEG}(?: ${LEG})*)?$`);
const NUMBERS_OF_A_LEG = 5;

export function encodeAccount({ legs }: CompoundAccount): StoredAccount {
  return legs
    .map(({ mTokenId, entered, tokens, principal, interestIndex }) =>
      [mTokenId, entered ? 1 : 0, tokens, principal, interestIndex].join(' '),
    )
    .join(' ');
}

/**
 * The account that {@link encodeAccount} encoded, exact to the unit.
 *
 * @returns undefined for any other text. Then the position is read from the chain, never guessed.
 */
export function decodeAccount(address: Address, stored: unknown): CompoundAccount | undefined {
  if (typeof stored !== 'string' || !FORM.test(stored)) return undefined;
  const numbers = stored === '' ? [] : stored.split(' ');
  const legs: Leg[] = [];
  for (let at = 0; at < numbers.length; at += NUMBERS_OF_A_LEG) {
    const [id, entered, ...amounts] = numbers.slice(at, at + NUMBERS_OF_A_LEG);
    const [tokens = 0n, principal = 0n, interestIndex = 0n] = amounts.map(BigInt);
    const mTokenId = Number(id);
    // A debt without its index cannot be computed.
    if (principal > 0n && interestIndex === 0n) return undefined;
    if (legs.some((leg) => leg.mTokenId === mTokenId)) return undefined;
    legs.push({ mTokenId, entered: entered === '1', tokens, principal, interestIndex });
  }
  return { address, legs };
}
