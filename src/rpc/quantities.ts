import { isAddress, isHash, type Address, type Hash, type Hex } from '../domain/hex.js';

// The first check of everything that a node answers. The errors name what was expected and never repeat the
// answer. A number outside of its range is a bad answer like a malformed one: the next endpoint is asked, and
// nothing computes with it (F43). Each range is far wider than anything that a healthy chain shows.

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

/** Ten blocks a second for 300 years. */
const HIGHEST_BLOCK = 100_000_000_000;
/** Seconds since the epoch: the year 4147. Whether the time fits the chain is judged elsewhere. */
const LATEST_TIMESTAMP = 2 ** 36;
/** Ten transactions a second of one key for 13 years. */
const HIGHEST_NONCE = 2 ** 32;
/** A block of the most gas holds fewer logs: each takes 375 gas at least. */
const HIGHEST_INDEX = 2 ** 25;
/** Some ten times the gas of the largest blocks, and of what nodes let a call use. */
const MOST_GAS = 10_000_000_000n;
const MOST_BLOCK_GAS = 2n ** 56n;
/** Wei: a million gwei. The highest base fee that Ethereum ever had was below a hundredth of it. */
const HIGHEST_FEE_PER_GAS = 10n ** 15n;
/** Wei: 10 ETH for the data of one transaction. 128 kB, the most possible, never cost a tenth of it. */
const HIGHEST_FEE = 10n ** 19n;
/** Wei: a trillion coins of 18 decimals. No native coin has so many. */
const HIGHEST_BALANCE = 10n ** 30n;

export function toBlockNumber(raw: unknown, what = 'the result'): number {
  return within(toNumber(raw, what), 0, HIGHEST_BLOCK, what);
}

/** Seconds since the epoch. */
export function toTimestamp(raw: unknown, what = 'the result'): number {
  return within(toNumber(raw, what), 0, LATEST_TIMESTAMP, what);
}

/** A nonce, or a count of transactions. */
export function toNonce(raw: unknown, what = 'the result'): number {
  return within(toNumber(raw, what), 0, HIGHEST_NONCE, what);
}

/** The place of a transaction or a log in its block. */
export function toIndex(raw: unknown, what = 'the result'): number {
  return within(toNumber(raw, what), 0, HIGHEST_INDEX, what);
}

/** Gas that was used. Everything that runs uses some. */
export function toGas(raw: unknown, what = 'the result'): bigint {
  return within(toBigInt(raw, what), 1n, MOST_GAS, what);
}

/** Of a block. On Arbitrum it is 2^50, which no block ever uses. */
export function toBlockGasLimit(raw: unknown, what: string): bigint {
  return within(toBigInt(raw, what), 1n, MOST_BLOCK_GAS, what);
}

/** A base fee, or a price of gas. */
export function toWeiPerGas(raw: unknown, what = 'the result'): bigint {
  return within(toBigInt(raw, what), 0n, HIGHEST_FEE_PER_GAS, what);
}

/** What one transaction pays beside its gas, in wei. */
export function toFeeWei(raw: unknown, what = 'the result'): bigint {
  return feeWithin(toBigInt(raw, what), what);
}

/** As {@link toFeeWei}, for a fee that a contract answered. @throws TypeError */
export function feeWithin(wei: bigint, what = 'the fee'): bigint {
  return within(wei, 0n, HIGHEST_FEE, what);
}

/** The balance of an account, in wei. */
export function toBalanceWei(raw: unknown, what = 'the result'): bigint {
  return within(toBigInt(raw, what), 0n, HIGHEST_BALANCE, what);
}

/** The `status` of a receipt or of a simulated call. */
export function toSuccess(raw: unknown): boolean {
  return within(toNumber(raw, 'status'), 0, 1, 'status') === 1;
}

function within<T extends number | bigint>(value: T, least: T, most: T, what: string): T {
  if (value < least || value > most) throw new TypeError(`${what} is outside of ${least} to ${most}`);
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
