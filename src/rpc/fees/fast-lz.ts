/** FastLZ finds a text again within so many bytes. */
const WINDOW = 2 ** 13 - 1;
/** The last bytes are never part of a repetition. */
const TAIL = 13;
const TABLE_BITS = 13;
/** Of the golden ratio: 2^32 divided by it. */
const MIX = 0x9e3779b9;
/** One instruction repeats so many bytes at most, beside the one that it names. */
const LONGEST_REPETITION = 262;
const LONGEST_RUN = 32;

/** By the hash of three bytes: where they were seen last. One for all: a text is measured at once. */
const table = new Uint32Array(2 ** TABLE_BITS);

/**
 * How long a text is after compression by FastLZ, level 1. Source: `LibZip.flzCompress` of solady, by which
 * GasPriceOracle.getL1Fee measures a transaction.
 */
export function compressedLength(bytes: Uint8Array): number {
  table.fill(0);
  const limit = Math.max(0, bytes.length - TAIL);
  let length = 0;
  let written = 0;
  let at = 2;
  // It does not use what it finds at the last place.
  while (at + 1 < limit) {
    const three = threeAt(bytes, at);
    const slot = slotOf(three);
    const seen = table[slot] ?? 0;
    table[slot] = at;
    if (at - seen > WINDOW || three !== threeAt(bytes, seen)) {
      at += 1;
      continue;
    }
    length += literalLength(at - written);
    const repeated = repeatedAt(bytes, seen + 3, at + 3, limit + 9);
    length += repetitionLength(repeated);
    at += repeated;
    for (const end = at + 2; at < end; at += 1) table[slotOf(threeAt(bytes, at))] = at;
    written = at;
  }
  return length + literalLength(bytes.length - written);
}

function threeAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
}

function slotOf(three: number): number {
  return Math.imul(three, MIX) >>> (32 - TABLE_BITS);
}

/** How many bytes are equal, one more where they stop being so before `end`. */
function repeatedAt(bytes: Uint8Array, seen: number, at: number, end: number): number {
  let count = 0;
  while (at + count < end) {
    count += 1;
    if (bytes[seen + count - 1] !== bytes[at + count - 1]) break;
  }
  return count;
}

/** Bytes as they are: one more for each run of 32. */
function literalLength(count: number): number {
  return count + Math.ceil(count / LONGEST_RUN);
}

function repetitionLength(count: number): number {
  const beyondFirst = count - 1;
  const whole = 3 * Math.floor(beyondFirst / LONGEST_REPETITION);
  return whole + (beyondFirst % LONGEST_REPETITION >= 6 ? 3 : 2);
}
