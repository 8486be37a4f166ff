import { keccak256 } from 'ethers';

import type { Address, Hash, Hex } from '../../domain/hex.js';

const BLOOM_DIGITS = 2 + 2 * 256;
const BLOOM = /^0x[0-9a-f]*$/i;
/** The most values whose bits are kept: many times more than the contracts and events of all markets. */
const MOST_VALUES = 4_096;

/** One bit of a bloom: the position of its hex digit in the text, and the bit within that digit. */
interface Bit {
  readonly position: number;
  readonly mask: number;
}

/** What a bloom tells of a log. */
export interface LogSource {
  readonly address: Address;
  readonly topics: readonly Hash[];
}

/**
 * Contracts, each with the first topics of those of its logs that are read. No topic means every log of the
 * contract.
 */
export type WatchedLogs = ReadonlyMap<Address, readonly Hash[]>;

const knownBits = new Map<Hex, readonly Bit[]>();

export function isLogsBloom(raw: unknown): raw is Hex {
  return typeof raw === 'string' && raw.length === BLOOM_DIGITS && BLOOM.test(raw);
}

/**
 * Whether the block of this bloom may hold a log that is watched. `false` is certain, on a chain whose
 * headers hold blooms. `true` may be a coincidence. Without a bloom it is `true`, without contracts `false`.
 *
 * @param logs of the block, where some are known: what they explain does not count any more.
 */
export function mayHold(
  bloom: Hex | undefined,
  watched: WatchedLogs,
  logs: readonly LogSource[] = [],
): boolean {
  if (bloom === undefined) return true;
  for (const [address, topics] of watched) {
    if (!holds(bloom, address)) continue;
    const own = logs.filter((log) => log.address === address);
    if (topics.length === 0 && own.length === 0) return true;
    if (topics.some((topic) => holds(bloom, topic) && !own.some((log) => log.topics[0] === topic)))
      return true;
  }
  return false;
}

/** Whether the block of this bloom holds no such log: then the log is invented. */
export function excludes(bloom: Hex | undefined, { address, topics }: LogSource): boolean {
  return bloom !== undefined && ![address, ...topics].every((value) => holds(bloom, value));
}

/**
 * Whether these are all logs of the block of this bloom, as far as a bloom can tell: they set every one of
 * its bits, and no other.
 */
export function makeUp(bloom: Hex, logs: readonly LogSource[]): boolean {
  const values = new Set(logs.flatMap(({ address, topics }) => [address, ...topics]));
  const digits = new Uint8Array(BLOOM_DIGITS);
  for (const value of values) {
    for (const { position, mask } of knownBits.get(value) ?? computedBits(value))
      digits[position] = (digits[position] ?? 0) | mask;
  }
  return digits.every((digit, index) => index < 2 || Number.parseInt(bloom.charAt(index), 16) === digit);
}

function holds(bloom: Hex, value: Hex): boolean {
  return bitsOf(value).every(
    ({ position, mask }) => (Number.parseInt(bloom.charAt(position), 16) & mask) !== 0,
  );
}

function bitsOf(value: Hex): readonly Bit[] {
  const known = knownBits.get(value);
  if (known) return known;
  const [oldest] = knownBits.keys();
  if (knownBits.size >= MOST_VALUES && oldest !== undefined) knownBits.delete(oldest);
  const bits = computedBits(value);
  knownBits.set(value, bits);
  return bits;
}

/**
 * The filter M3:2048 of the yellow paper, section 4.4.1: of keccak256(value), the low 11 bits of each of the
 * first three pairs of bytes name a bit, counted from the last bit of the bloom.
 */
function computedBits(value: Hex): readonly Bit[] {
  const hash = keccak256(value);
  return [2, 6, 10].map((start): Bit => {
    const bit = Number.parseInt(hash.slice(start, start + 4), 16) & 2_047;
    return { position: BLOOM_DIGITS - 1 - (bit >> 2), mask: 1 << (bit & 3) };
  });
}
