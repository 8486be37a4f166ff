import { keccak256 } from 'ethers';

import type { Address, Hex } from '../../domain/hex.js';

const BLOOM_DIGITS = 2 + 2 * 256;
const BLOOM = /^0x[0-9a-f]*$/i;
/** The most addresses whose bits are kept: many times more than the contracts of all markets of a process. */
const MOST_ADDRESSES = 4_096;

/** One bit of a bloom: the position of its hex digit in the text, and the bit within that digit. */
interface Bit {
  readonly position: number;
  readonly mask: number;
}

const knownBits = new Map<Address, readonly Bit[]>();

export function isLogsBloom(raw: unknown): raw is Hex {
  return typeof raw === 'string' && raw.length === BLOOM_DIGITS && BLOOM.test(raw);
}

/**
 * Whether the block of this bloom may hold a log of one of the addresses. `false` is certain, on a chain
 * whose headers hold blooms. `true` may be a coincidence. Without a bloom it is `true`, without addresses
 * `false`.
 *
 * This is the filter M3:2048 of the yellow paper, section 4.4.1: of keccak256(address), the low 11 bits of
 * each of the first three pairs of bytes name a bit, counted from the last bit of the bloom.
 */
export function mayHoldLogsOf(bloom: Hex | undefined, addresses: readonly Address[]): boolean {
  if (bloom === undefined) return true;
  return addresses.some((address) =>
    bitsOfAddress(address).every(
      ({ position, mask }) => (Number.parseInt(bloom.charAt(position), 16) & mask) !== 0,
    ),
  );
}

function bitsOfAddress(address: Address): readonly Bit[] {
  const known = knownBits.get(address);
  if (known) return known;
  const hash = keccak256(address);
  const bits = [2, 6, 10].map((start): Bit => {
    const bit = Number.parseInt(hash.slice(start, start + 4), 16) & 2_047;
    return { position: BLOOM_DIGITS - 1 - (bit >> 2), mask: 1 << (bit & 3) };
  });
  const [oldest] = knownBits.keys();
  if (knownBits.size >= MOST_ADDRESSES && oldest !== undefined) knownBits.delete(oldest);
  knownBits.set(address, bits);
  return bits;
}
