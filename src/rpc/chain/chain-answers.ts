import type { Block } from '../../domain/block.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import type { RpcCall } from '../endpoints/rpc-call.js';
import type { HeaderHashes } from '../header-hashes.js';
import { isLogsBloom } from './logs-bloom.js';
import {
  hexQuantity,
  toBlockGasLimit,
  toBlockNumber,
  toData,
  toFeeWei,
  toGas,
  toHash,
  toIndex,
  toList,
  toLowerAddress,
  toNonce,
  toObject,
  toSuccess,
  toTimestamp,
  toWeiPerGas,
} from '../quantities.js';
import { NotThereYet } from '../rpc-errors.js';

export type BlockTag = 'latest' | 'pending' | 'safe' | 'finalized' | 'earliest';
/** A block by its hash, its number or a tag. Only a hash cannot mean another block a moment later. */
export type BlockRef = Hash | number | BlockTag;

export interface RawLog {
  readonly address: Address;
  readonly topics: readonly Hash[];
  readonly data: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hash;
  readonly transactionHash: Hash;
  readonly logIndex: number;
}

export interface Receipt {
  readonly transactionHash: Hash;
  readonly blockHash: Hash;
  readonly blockNumber: number;
  readonly transactionIndex: number;
  readonly status: 'success' | 'reverted';
  readonly from: Address;
  /** Undefined for a contract creation. */
  readonly to: Address | undefined;
  readonly gasUsed: bigint;
  /** Wei per gas of gasUsed. */
  readonly effectiveGasPrice: bigint;
  /**
   * Wei, on top of gasUsed * effectiveGasPrice: the L1 data fee of an OP-stack chain. Undefined where the
   * node gives none.
   */
  readonly l1Fee: bigint | undefined;
  readonly logs: readonly RawLog[];
}

export interface PooledTransaction {
  readonly hash: Hash;
  readonly from: Address;
  readonly nonce: number;
  /** Undefined while the transaction is pending. */
  readonly blockNumber: number | undefined;
  readonly blockHash: Hash | undefined;
}

/** The topics of a log filter: for each position one value, several values, or any value (null). */
export type TopicFilter = readonly (Hash | readonly Hash[] | null)[];
export type LogRange =
  { readonly blockHash: Hash } | { readonly fromBlock: number; readonly toBlock: number };

/** The block parameter of calls on state: a hash in the form of EIP-1898. */
export function blockParam(block: BlockRef): unknown {
  if (typeof block === 'number') return hexQuantity(block);
  return block.startsWith('0x') ? { blockHash: block } : block;
}

/** @throws TypeError when a field is malformed or out of its range, or the hash is not that of the fields. */
export function parseBlock(raw: unknown, hashes: HeaderHashes): Block {
  if (raw === null) throw new NotThereYet('the node does not have the block');
  const block = toObject(raw);
  hashes.check(block);
  return {
    number: toBlockNumber(block['number'], 'number'),
    hash: toHash(block['hash'], 'hash'),
    parentHash: toHash(block['parentHash'], 'parentHash'),
    timestamp: toTimestamp(block['timestamp'], 'timestamp'),
    baseFeePerGas: toWeiPerGas(block['baseFeePerGas'], 'baseFeePerGas'),
    gasLimit: block['gasLimit'] === undefined ? undefined : toBlockGasLimit(block['gasLimit'], 'gasLimit'),
    logsBloom: isLogsBloom(block['logsBloom']) ? block['logsBloom'] : undefined,
  };
}

/** @throws TypeError when the node gave another block than the one asked for. */
export function parseBlockAsked(raw: unknown, asked: BlockRef, hashes: HeaderHashes): Block {
  const block = parseBlock(raw, hashes);
  const same =
    typeof asked === 'number' ? block.number === asked : !asked.startsWith('0x') || block.hash === asked;
  if (!same) throw new TypeError('it is another block than the one asked for');
  return block;
}

/**
 * Logs in the order of the chain, each within the range and from one of the addresses.
 *
 * @throws TypeError when one is not. Whether a log is missing cannot be seen here.
 */
export function parseLogs(raw: unknown, range: LogRange, addresses: readonly Address[]): RawLog[] {
  const allowed = new Set(addresses);
  const logs = toList(raw).map((item) => {
    const log = parseLog(item);
    if (allowed.size > 0 && !allowed.has(log.address))
      throw new TypeError('a log is from an address not asked for');
    if (!isInRange(log, range)) throw new TypeError('a log is from a block not asked for');
    return log;
  });
  mustBeOnce(logs);
  return inOrder(logs);
}

/** Sorts logs into the order of the chain. */
export function inOrder(logs: RawLog[]): RawLog[] {
  return logs.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
}

/** @throws TypeError when a log comes twice, or two blocks have one number. */
function mustBeOnce(logs: readonly RawLog[]): void {
  const hashes = new Map<number, Hash>();
  const seen = new Set<string>();
  for (const log of logs) {
    const { blockNumber, blockHash } = log;
    if ((hashes.get(blockNumber) ?? blockHash) !== blockHash)
      throw new TypeError('the logs are of two blocks of one number');
    hashes.set(blockNumber, blockHash);
    const key = logKey(log);
    if (seen.has(key)) throw new TypeError('the same log comes twice');
    seen.add(key);
  }
}

/**
 * Whether a filter of this range, these addresses and these topics matches the log. No address means any
 * address.
 */
export function matchesFilter(
  log: RawLog,
  range: LogRange,
  addresses: readonly Address[],
  topics: TopicFilter,
): boolean {
  return (
    isInRange(log, range) &&
    (addresses.length === 0 || addresses.includes(log.address)) &&
    topics.every((wanted, index) => {
      const topic = log.topics[index];
      if (topic === undefined) return false;
      if (wanted === null || wanted.length === 0) return true;
      return typeof wanted === 'string' ? wanted === topic : wanted.includes(topic);
    })
  );
}

function isInRange(log: RawLog, range: LogRange): boolean {
  return 'blockHash' in range
    ? log.blockHash === range.blockHash
    : log.blockNumber >= range.fromBlock && log.blockNumber <= range.toBlock;
}

/** Identifies one log: another log of its block, and the same log in a sibling block, have other keys. */
export function logKey({ blockHash, logIndex }: RawLog): string {
  return `${blockHash}:${logIndex}`;
}

/** @throws TypeError when one of the logs that are known to exist is missing. */
export function mustHold(logs: readonly RawLog[], known: readonly RawLog[]): void {
  if (known.length === 0) return;
  const held = new Set(logs.map(logKey));
  const lacking = known.filter((log) => !held.has(logKey(log))).length;
  if (lacking > 0) throw new TypeError(`it lacks ${lacking} of the ${known.length} logs heard before`);
}

export function parseLog(raw: unknown): RawLog {
  const log = toObject(raw);
  if (log['removed'] === true) throw new TypeError('a log is marked as removed');
  return {
    address: toLowerAddress(log['address'], 'address'),
    topics: toTopics(log['topics']),
    data: toData(log['data'], 'data'),
    blockNumber: toBlockNumber(log['blockNumber'], 'blockNumber'),
    blockHash: toHash(log['blockHash'], 'blockHash'),
    transactionHash: toHash(log['transactionHash'], 'transactionHash'),
    logIndex: toIndex(log['logIndex'], 'logIndex'),
  };
}

export function toTopics(raw: unknown): Hash[] {
  const topics = toList(raw);
  if (topics.length > 4) throw new TypeError('a log has more than four topics');
  return topics.map((topic) => toHash(topic, 'topic'));
}

/** @throws TypeError when it is the receipt of another transaction, or holds logs of one. */
export function parseReceipt(raw: unknown, asked: Hash): Receipt | undefined {
  if (raw === null) return undefined;
  const receipt = toObject(raw);
  const transactionHash = toHash(receipt['transactionHash'], 'transactionHash');
  if (transactionHash !== asked) throw new TypeError('it is the receipt of another transaction');
  if (isPreconfirmed(receipt)) return undefined;
  const blockHash = toHash(receipt['blockHash'], 'blockHash');
  const logs = toList(receipt['logs']).map(parseLog);
  mustBeOnce(logs);
  if (logs.some((log) => log.transactionHash !== asked || log.blockHash !== blockHash))
    throw new TypeError('it holds a log of another transaction');
  return {
    transactionHash,
    blockHash,
    blockNumber: toBlockNumber(receipt['blockNumber'], 'blockNumber'),
    transactionIndex: toIndex(receipt['transactionIndex'], 'transactionIndex'),
    status: toSuccess(receipt['status']) ? 'success' : 'reverted',
    from: toLowerAddress(receipt['from'], 'from'),
    to: optional(receipt['to'], (to) => toLowerAddress(to, 'to')),
    gasUsed: toGas(receipt['gasUsed'], 'gasUsed'),
    effectiveGasPrice: toWeiPerGas(receipt['effectiveGasPrice'], 'effectiveGasPrice'),
    l1Fee: optional(receipt['l1Fee'], (fee) => toFeeWei(fee, 'l1Fee')),
    logs,
  };
}

/** Asks for the head of the endpoint that gives a receipt, in the same request. */
export const HEAD_NUMBER: RpcCall<number> = {
  method: 'eth_blockNumber',
  params: [],
  parse: (raw) => toBlockNumber(raw),
};

/** The receipt, unless its block is above the endpoint's own head: then the block is not sealed yet. */
export function sealedAt(head: number, receipt: Receipt | undefined): Receipt | undefined {
  return receipt && receipt.blockNumber <= head ? receipt : undefined;
}

/**
 * Nodes with preconfirmations (flashblocks) give a receipt before the block is sealed: its block has no hash,
 * or one of zeros. Such a transaction is not mined yet.
 */
function isPreconfirmed({ blockHash, blockNumber }: Record<string, unknown>): boolean {
  return (
    [blockHash, blockNumber].includes(null) || (typeof blockHash === 'string' && /^0x0*$/.test(blockHash))
  );
}

/** @throws TypeError when it is another transaction. */
export function parseTransaction(raw: unknown, asked: Hash): PooledTransaction | undefined {
  if (raw === null) return undefined;
  const transaction = toObject(raw);
  const hash = toHash(transaction['hash'], 'hash');
  if (hash !== asked) throw new TypeError('it is another transaction');
  return {
    hash,
    from: toLowerAddress(transaction['from'], 'from'),
    nonce: toNonce(transaction['nonce'], 'nonce'),
    blockNumber: optional(transaction['blockNumber'], (number) => toBlockNumber(number, 'blockNumber')),
    blockHash: optional(transaction['blockHash'], (blockHash) => toHash(blockHash, 'blockHash')),
  };
}

function optional<T>(raw: unknown, parse: (raw: unknown) => T): T | undefined {
  return raw === undefined || raw === null ? undefined : parse(raw);
}
