import { keccak256 } from 'ethers';

import type { Address, Hex } from '../../domain/hex.js';

const BLOOM_DIGITS = 2 + 2 * 256;
const BLOOM = /^0x[0-9a-f]*$/i;
/** Addresses whose bits are remembered: many times the contracts of the markets of one process. */
const REMEMBERED = 4_096;

/** One bit of a bloom: which hex digit of the text, and which bit of that digit. */
interface Bit {
  readonly position: number;
  readonly mask: number;
}

const bitsOf = new Map<Address, readonly Bit[]>();

export function isLogsBloom(raw: unknown): raw is Hex {
  return typeof raw === 'string' && raw.length === BLOOM_DIGITS && BLOOM.test(raw);
}

/**
 * Whether the block of this bloom may hold a log of one of the addresses. `false` is certain, on a chain whose headers carry
 * blooms; `true` may be chance. Without a bloom it is `true`; without addresses `false`.
 *
 * The filter M3:2048 of the yellow paper, section 4.4.1: of keccak256(address), the low 11 bits of each of the first three pairs
 * of bytes name a bit, counted from the last bit of the bloom.
 */
export function mayHoldLogsOf(bloom: Hex | undefined, addresses: readonly Address[]): boolean {
  if (bloom === undefined) return true;
  return addresses.some((address) =>
    remembered(address).every(
      ({ position, mask }) => (Number.parseInt(bloom.charAt(position), 16) & mask) !== 0,
    ),
  );
}

function remembered(address: Address): readonly Bit[] {
  const known = bitsOf.get(address);
  if (known) return known;
  const hash = keccak256(address);
  const bits = [2, 6, 10].map((start): Bit => {
    const bit = Number.parseInt(hash.slice(start, start + 4), 16) & 2_047;
    return { position: BLOOM_DIGITS - 1 - (bit >> 2), mask: 1 << (bit & 3) };
  });
  const [oldest] = bitsOf.keys();
  if (bitsOf.size >= REMEMBERED && oldest !== undefined) bitsOf.delete(oldest);
  bitsOf.set(address, bits);
  return bits;
}
