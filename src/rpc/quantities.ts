import { isAddress, isHash, type Address, type Hash, type Hex } from '../domain/hex.js';

// The first check of everything that a node answers. The errors name what was expected and never repeat the
// answer.

const QUANTITY = /^0x[0-9a-f]{1,64}$/i;
const DATA = /^0x[0-9a-f]*$/i;

export function toObject(raw: unknown): Record<string, unknown> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new TypeError('an object was expected');
  return raw as Record<string, unknown>;
}

export function toList(raw: unknown): readonly unknown[] {
  if (!Array.isArray(raw)) throw new TypeError('a list was expected');
  return raw;
}

/** A hex quantity of at most 256 bits. */
export function toBigInt(raw: unknown, what = 'the result'): bigint {
  if (typeof raw !== 'string' || !QUANTITY.test(raw)) throw new TypeError(`${what} is not a hex quantity`);
  return BigInt(raw);
}

/** A hex quantity that a JavaScript number holds exactly. */
export function toNumber(raw: unknown, what = 'the result'): number {
  if (typeof raw !== 'string' || !QUANTITY.test(raw)) throw new TypeError(`${what} is not a hex quantity`);
  const value = Number(raw);
  if (!Number.isSafeInteger(value)) throw new TypeError(`${what} is too large a number`);
  return value;
}

export function toData(raw: unknown, what = 'the result'): Hex {
  if (typeof raw !== 'string' || raw.length % 2 !== 0 || !DATA.test(raw))
    throw new TypeError(`${what} is not hex data`);
  return raw as Hex;
}

export function toHash(raw: unknown, what = 'the result'): Hash {
  if (!isHash(raw)) throw new TypeError(`${what} is not a hash`);
  return raw;
}

export function toLowerAddress(raw: unknown, what = 'the result'): Address {
  if (!isAddress(raw)) throw new TypeError(`${what} is not an address`);
  return raw.toLowerCase() as Address;
}

export function hexQuantity(value: number | bigint): Hex {
  return `0x${value.toString(16)}`;
}
