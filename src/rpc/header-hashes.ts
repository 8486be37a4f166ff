import { keccak256 } from 'ethers';

import type { Clock } from '../domain/clock.js';
import type { Hash } from '../domain/hex.js';

/** The fields of a header in the order of its RLP: those that each header has. */
const FIELDS = [
  ['parentHash', 'data'],
  ['sha3Uncles', 'data'],
  ['miner', 'data'],
  ['stateRoot', 'data'],
  ['transactionsRoot', 'data'],
  ['receiptsRoot', 'data'],
  ['logsBloom', 'data'],
  ['difficulty', 'number'],
  ['number', 'number'],
  ['gasLimit', 'number'],
  ['gasUsed', 'number'],
  ['timestamp', 'number'],
  ['extraData', 'data'],
  ['mixHash', 'data'],
  ['nonce', 'data'],
] as const;

/** The fields that forks added, each after the one before: a header has the first few of them. */
const LATER_FIELDS = [
  ['baseFeePerGas', 'number'], // EIP-1559
  ['withdrawalsRoot', 'data'], // EIP-4895
  ['blobGasUsed', 'number'], // EIP-4844
  ['excessBlobGas', 'number'],
  ['parentBeaconBlockRoot', 'data'], // EIP-4788
  ['requestsHash', 'data'], // EIP-7685
] as const;

/** When no header fits for so long, the chain has headers of another kind: milliseconds. */
const UNKNOWN_KIND_AFTER_MS = 10_000;

/**
 * Whether the hash of a header is computed from its fields. It is on a chain whose headers are of a known
 * kind. There one endpoint cannot change the time, the base fee or the bloom of a block that the others have:
 * the block would have another hash. It can still invent a whole block with a hash of its own.
 *
 * A header of an unknown kind, for example after a fork, has fields that are not known here. So nothing is
 * refused before the first header that fits, and nothing any more when those of 10 s did not fit.
 */
export class HeaderHashes {
  #proven = false;
  /** Since when no header fits, in monotonic milliseconds. */
  #unfitSinceMs: number | undefined;

  constructor(private readonly clock: Clock) {}

  /** Whether a header is refused when its hash does not fit its fields. */
  get areProven(): boolean {
    return this.#proven;
  }

  /** @throws TypeError when the chain's headers can be computed, and this one has another hash. */
  check(header: Readonly<Record<string, unknown>>): void {
    const nowMs = this.clock.monotonicMs();
    const computed = headerHash(header);
    if (computed !== undefined && computed === header['hash']) {
      this.#proven = true;
      this.#unfitSinceMs = undefined;
    } else if (this.#proven) {
      this.#unfitSinceMs ??= nowMs;
      if (nowMs - this.#unfitSinceMs <= UNKNOWN_KIND_AFTER_MS)
        throw new TypeError('the hash of the header is not that of its fields');
      this.#proven = false;
    }
  }
}

/** The hash of a header by its fields, as a node gives them; undefined when one is missing or malformed. */
export function headerHash(header: Readonly<Record<string, unknown>>): Hash | undefined {
  let items = '';
  for (const [name, kind] of FIELDS) {
    const item = rlpItem(header[name], kind);
    if (item === undefined) return undefined;
    items += item;
  }
  for (const [name, kind] of LATER_FIELDS) {
    const value = header[name];
    if (value === undefined || value === null) break;
    const item = rlpItem(value, kind);
    if (item === undefined) return undefined;
    items += item;
  }
  // Of bytes, because ethers takes as long to read the hex text as to hash it.
  return keccak256(Buffer.from(lengthPrefix(items.length / 2, 0xc0) + items, 'hex')) as Hash;
}

const HEX = /^0x[0-9a-f]*$/i;

/** RLP as hex digits. A number has no leading zero bytes, and 0 has no bytes at all. */
function rlpItem(value: unknown, kind: 'data' | 'number'): string | undefined {
  if (typeof value !== 'string' || !HEX.test(value)) return undefined;
  let digits = value.slice(2);
  if (kind === 'number') {
    digits = digits.replace(/^0+/, '');
    if (digits.length % 2 !== 0) digits = `0${digits}`;
  } else if (digits.length % 2 !== 0) return undefined;
  const bytes = digits.length / 2;
  if (bytes === 1 && Number.parseInt(digits, 16) < 0x80) return digits;
  return lengthPrefix(bytes, 0x80) + digits;
}

function lengthPrefix(bytes: number, base: 0x80 | 0xc0): string {
  if (bytes <= 55) return (base + bytes).toString(16);
  const length = bytes.toString(16);
  const digits = length.length % 2 === 0 ? length : `0${length}`;
  return (base + 55 + digits.length / 2).toString(16) + digits;
}
