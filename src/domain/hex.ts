/**
 * An address in lower case: the form in which addresses are compared and used as keys. Checksums are only for
 * input and output.
 */
export type Address = `0x${string}`;
export type Hash = `0x${string}`;
export type Hex = `0x${string}`;

const ADDRESS = /^0x[0-9a-fA-F]{40}$/;
const HASH = /^0x[0-9a-f]{64}$/;

export function isAddress(value: unknown): value is Address {
  return typeof value === 'string' && ADDRESS.test(value);
}

export function isHash(value: unknown): value is Hash {
  return typeof value === 'string' && HASH.test(value);
}

/** @throws TypeError when the text is not 20 bytes of hex. */
export function toAddress(value: string): Address {
  if (!isAddress(value))
    throw new TypeError(`"${value}" is not an address: 0x and 40 hex digits were expected`);
  return value.toLowerCase() as Address;
}

/** The address in the low 20 bytes of a 32-byte word, as topics and ABI words hold it. */
export function addressFromWord(word: string): Address {
  return `0x${word.slice(-40)}`;
}

/** An address as a 32-byte ABI word, without 0x. */
export function addressWord(address: Address): string {
  return address.slice(2).padStart(64, '0');
}

/** A non-negative integer below 2^256 as a 32-byte ABI word, without 0x. */
export function uintWord(value: bigint | number): string {
  return value.toString(16).padStart(64, '0');
}

/**
 * The unsigned integer in the `index`-th 32-byte word of ABI data.
 * @throws RangeError when the data is too short. A missing value is never read as 0.
 */
export function uintAt(data: Hex, index: number): bigint {
  const start = 2 + index * 64;
  if (data.length < start + 64)
    throw new RangeError(`ABI data of ${(data.length - 2) / 2} bytes has no word ${index}`);
  return BigInt(`0x${data.slice(start, start + 64)}`);
}

/** No amount of a token, price or index of a contract that is followed needs more: uint128. */
export const MOST_128_BITS = 2n ** 128n - 1n;
/** Seconds since the epoch: the year 4147. */
const LATEST_TIME = 2n ** 36n;

/**
 * As {@link uintAt}, for a number that comes from outside and has a range.
 *
 * @param most the highest that it can be.
 * @throws RangeError also when the number is above it. The message does not repeat the number.
 */
export function uintWithin(data: Hex, index: number, most: bigint, what: string): bigint {
  const value = uintAt(data, index);
  if (value > most) throw new RangeError(`${what} is out of its range`);
  return value;
}

/** An amount of a token in its units, of at most 128 bits. @throws RangeError */
export function amountAt(data: Hex, index: number, what = 'an amount'): bigint {
  return uintWithin(data, index, MOST_128_BITS, what);
}

/** A time in seconds since the epoch. @throws RangeError */
export function timeAt(data: Hex, index: number, what = 'a time'): number {
  return Number(uintWithin(data, index, LATEST_TIME, what));
}

/** The address in the `index`-th 32-byte word of ABI data. @throws RangeError when the data is too short. */
export function addressAt(data: Hex, index: number): Address {
  const start = 2 + index * 64;
  if (data.length < start + 64)
    throw new RangeError(`ABI data of ${(data.length - 2) / 2} bytes has no word ${index}`);
  return addressFromWord(data.slice(start, start + 64));
}

/**
 * The `bytes` whose offset is in the `index`-th 32-byte word of ABI data.
 * @throws RangeError when the data is too short.
 */
export function bytesAt(data: Hex, index: number): Hex {
  const start = Number(uintAt(data, index));
  const length = Number(uintAt(`0x${data.slice(2 + start * 2)}`, 0));
  const bytes = data.slice(2 + (start + 32) * 2, 2 + (start + 32 + length) * 2);
  if (bytes.length !== length * 2)
    throw new RangeError(`ABI data of ${(data.length - 2) / 2} bytes ends within its bytes at word ${index}`);
  return `0x${bytes}`;
}
