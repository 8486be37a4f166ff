import { randomInt } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * The largest answer to one request, however many calls it holds. Logs of this size are parsed in 30 ms; the
 * worst that the limits below let through takes about 100 ms.
 */
const LARGEST_ANSWER_BYTES = 8 * MIB;
/** Numbers, hashes, and the words of an error. */
const SMALL_ANSWER_BYTES = 64 * KIB;
/** Answers that may be larger, by method. */
const LARGE_ANSWERS: Readonly<Record<string, number>> = {
  // A header, and the hash of each transaction: 10,000 transactions are 700 kB.
  eth_getBlockByHash: 2 * MIB,
  eth_getBlockByNumber: 2 * MIB,
  eth_getTransactionByHash: MIB,
  eth_getTransactionReceipt: MIB,
  // 250 calls of Multicall3 with 1 kB each are 0.5 MB of hex.
  eth_call: 4 * MIB,
  eth_simulateV1: 8 * MIB,
  // 12,000 logs. A longer range is asked for in pieces.
  eth_getLogs: 8 * MIB,
};

/** How large the answer to these calls may be, in bytes. */
export function mostBytesOf(methods: readonly string[]): number {
  const sum = methods.reduce((bytes, method) => bytes + (LARGE_ANSWERS[method] ?? SMALL_ANSWER_BYTES), 0);
  return Math.min(sum, LARGEST_ANSWER_BYTES);
}

/** The answers of nodes nest about ten deep: a batch of simulations with logs. */
const DEEPEST = 32;
/** An answer may hold so many values whatever its size, … */
const FREE_VALUES = 10_000;
/** … and then one for so many bytes. In the answers of nodes a value takes 35 bytes and more. */
const BYTES_PER_VALUE = 32;
/** Different keys in one answer: nodes use some fifty. Each one costs the parser more than a microsecond. */
const MOST_KEYS = 200;
/** Of the hash of a key. Random, so that nobody can prepare keys that count as one. */
const FACTOR = randomInt(2 ** 29, 2 ** 30) * 2 + 1;

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const COMMA = ','.charCodeAt(0);
const OPEN_LIST = '['.charCodeAt(0);
const OPEN_OBJECT = '{'.charCodeAt(0);
const CLOSE_LIST = ']'.charCodeAt(0);
const CLOSE_OBJECT = '}'.charCodeAt(0);
const COLON = ':'.charCodeAt(0);

/**
 * Looks at the bytes of an answer as they come, before anything is parsed (F56). A few megabytes of JSON that
 * is nothing but brackets would hold the process for seconds and fill its memory.
 */
export class AnswerScan {
  private bytes = 0;
  private depth = 0;
  private values = 0;
  private inString = false;
  private escaped = false;
  /** Of the last string. */
  private hash = 0;
  private readonly keys = new Set<number>();

  constructor(private readonly mostBytes: number) {}

  /** @returns why the answer is refused; undefined while it is acceptable. */
  take(chunk: Uint8Array): string | undefined {
    this.bytes += chunk.length;
    if (this.bytes > this.mostBytes) return `is larger than ${this.mostBytes} bytes`;
    // Local variables, because this runs once for each byte.
    let { depth, values, inString } = this;
    let at = 0;
    /** Where the last string begins. What of it was in the chunks before is in the hash. */
    let from = 0;
    /** Where it ends. */
    let to = 0;
    for (;;) {
      if (inString) {
        at = this.endOfString(chunk, at);
        to = at;
        if (at === chunk.length) break;
        inString = false;
        at++;
      }
      if (at >= chunk.length) break;
      const byte = chunk[at++];
      if (byte === QUOTE) {
        inString = true;
        this.hash = 0;
        from = to = at;
      } else if (byte === COLON) this.keys.add(hashOf(chunk, from, to, this.hash));
      else if (byte === COMMA) values++;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
        values++;
        if (++depth > DEEPEST) return `nests deeper than ${DEEPEST}`;
      } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
    }
    Object.assign(this, { depth, values, inString, hash: hashOf(chunk, from, to, this.hash) });
    if (this.keys.size > MOST_KEYS) return `holds more than ${MOST_KEYS} different keys`;
    if (values > FREE_VALUES + this.bytes / BYTES_PER_VALUE) return 'holds too many values';
    return undefined;
  }

  /** Where the quote stands that ends the string; the length of the chunk when it ends in a later one. */
  private endOfString(chunk: Uint8Array, start: number): number {
    let at = start;
    if (at === chunk.length) return at;
    if (this.escaped) {
      this.escaped = false;
      at++;
    }
    // Nearly all bytes of an answer are the digits of its strings: the search for their ends is native.
    for (;;) {
      const quote = chunk.indexOf(QUOTE, at);
      const end = quote < 0 ? chunk.length : quote;
      let backslashes = 0;
      while (end - backslashes > at && chunk[end - backslashes - 1] === BACKSLASH) backslashes++;
      const escapes = backslashes % 2 === 1;
      if (!escapes || quote < 0) {
        this.escaped = escapes;
        return end;
      }
      at = end + 1;
    }
  }
}

/** The hash of a string whose hash so far is given, with more of its bytes. */
function hashOf(chunk: Uint8Array, from: number, to: number, soFar: number): number {
  let hash = soFar;
  for (let at = from; at < to; at++) hash = (Math.imul(hash, FACTOR) + (chunk[at] ?? 0)) | 0;
  return hash;
}

/**
 * Why an answer is refused by its headers alone. We ask for no compression: a compressed answer may be a
 * thousand times larger than its bytes.
 */
export function refusalOfHeaders(headers: IncomingHttpHeaders, mostBytes: number): string | undefined {
  const { 'content-length': length, 'content-encoding': encoding = 'identity' } = headers;
  if (encoding !== 'identity') return 'is compressed, which was not asked for';
  return Number(length) > mostBytes ? `is larger than ${mostBytes} bytes` : undefined;
}

/** Why these bytes are not parsed; undefined when they may be. */
export function refusalOf(bytes: Uint8Array, mostBytes = LARGEST_ANSWER_BYTES): string | undefined {
  return new AnswerScan(mostBytes).take(bytes);
}
