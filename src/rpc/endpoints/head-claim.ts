import type { Hash } from '../../domain/hex.js';
import type { HeaderHashes } from '../header-hashes.js';
import { hexQuantity, toBlockNumber, toHash, toObject, toTimestamp } from '../quantities.js';
import { NotThereYet, RpcAnswerError, RpcError } from '../rpc-errors.js';
import type { JsonRpcEndpoint } from './json-rpc-endpoint.js';
import { valueOf, type RpcCall } from './rpc-call.js';

/** What a header says of its place in the chain. */
export interface HeaderPlace {
  readonly number: number;
  readonly hash: Hash;
  readonly parentHash: Hash;
  /** Seconds since the epoch. */
  readonly timestamp: number;
}

/** So many blocks below the lower head the two endpoints are on one branch, whatever the latest reorg was. */
const COMMON_BELOW = 32;
/** The headers of a longer claim are not all read: its first block and its last ones must do. */
const MOST_HEADERS = 512;
const LAST_HEADERS = 8;
/** A chain may be so many times as fast as it is meant to be. */
const PACE = 4;
/** How far a head may be ahead of our clock and of the other head. */
const FUTURE_MS = 60_000;

function toHeaderPlace(raw: unknown, hashes: HeaderHashes): HeaderPlace {
  if (raw === null) throw new NotThereYet('the node does not have the block');
  const header = toObject(raw);
  hashes.check(header);
  return {
    number: toBlockNumber(header['number'], 'number'),
    hash: toHash(header['hash'], 'hash'),
    parentHash: toHash(header['parentHash'], 'parentHash'),
    timestamp: toTimestamp(header['timestamp'], 'timestamp'),
  };
}

export function headerCall(block: number | 'latest', hashes: HeaderHashes): RpcCall<HeaderPlace> {
  const asked = typeof block === 'number' ? hexQuantity(block) : block;
  const parse = (raw: unknown): HeaderPlace => toHeaderPlace(raw, hashes);
  return { method: 'eth_getBlockByNumber', params: [asked, false], parse };
}

/**
 * Whether the time between two heads fits the blocks between them, and the higher one is not of the future.
 *
 * @param wallMs milliseconds since the epoch.
 */
export function isPlausible(
  lower: HeaderPlace,
  higher: HeaderPlace,
  blockTimeMs: number,
  wallMs: number,
): boolean {
  const elapsedMs = (higher.timestamp - lower.timestamp) * 1_000;
  const needsMs = ((higher.number - lower.number) * blockTimeMs) / PACE;
  const latestMs = Math.max(wallMs, lower.timestamp * 1_000) + FUTURE_MS;
  return elapsedMs >= needsMs && higher.timestamp * 1_000 <= latestMs;
}

/**
 * Whether an endpoint that claims a far higher head shows the headers that lead there from the chain of
 * another endpoint (F41).
 *
 * @param other the other endpoint, and its head.
 * @returns false also when the claimer does not answer: then its claim is only a claim.
 * @throws RpcError when the other endpoint does not answer.
 */
export async function extendsChainOf(
  other: { readonly endpoint: JsonRpcEndpoint; readonly head: HeaderPlace },
  claimer: { readonly endpoint: JsonRpcEndpoint; readonly head: HeaderPlace },
  deadlineMs: number,
  hashes: HeaderHashes,
): Promise<boolean> {
  const from = Math.max(0, other.head.number - COMMON_BELOW);
  const [common] = await headers(other.endpoint, [from], deadlineMs, hashes);
  const { head } = claimer;
  const whole = head.number - from <= MOST_HEADERS;
  const second = whole ? from + 1 : head.number - LAST_HEADERS;
  const numbers = [from, ...Array.from({ length: head.number - second + 1 }, (_, index) => second + index)];
  try {
    const shown = await headers(claimer.endpoint, numbers, deadlineMs, hashes);
    if (shown[0]?.hash !== common?.hash || shown.at(-1)?.hash !== head.hash) return false;
    return shown.every((header, index) => {
      if (index === 0 || (index === 1 && !whole)) return true;
      return header.parentHash === shown[index - 1]?.hash;
    });
  } catch (error) {
    if (error instanceof RpcError || error instanceof RpcAnswerError) return false;
    throw error;
  }
}

/** @throws RpcError, RpcAnswerError */
async function headers(
  endpoint: JsonRpcEndpoint,
  numbers: readonly number[],
  deadlineMs: number,
  hashes: HeaderHashes,
): Promise<HeaderPlace[]> {
  const calls = numbers.map((number) => headerCall(number, hashes));
  const answers = await endpoint.batch(calls, deadlineMs);
  return calls.map((call, index) => {
    const header = valueOf(endpoint.role, call, answers[index]);
    if (header instanceof RpcAnswerError) throw header;
    if (header.number !== numbers[index])
      throw new RpcError('bad-answer', endpoint.role, 'it gave another block than the one asked for');
    return header;
  });
}
