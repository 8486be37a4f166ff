import { Injectable } from '@nestjs/common';

import type { Block } from '../../domain/block.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import {
  blockParam,
  isAskedFor,
  mustHold,
  parseBlockAsked,
  parseLogs,
  parseReceipt,
  parseTransaction,
  type BlockRef,
  type LogRange,
  type PooledTransaction,
  type RawLog,
  type Receipt,
  type TopicFilter,
} from './chain-answers.js';
import {
  decodeAggregate3,
  encodeAggregate3,
  MULTICALL3,
  type MulticallCall,
  type MulticallResult,
} from './multicall3.js';
import { hexQuantity, toBigInt, toData, toNumber } from '../quantities.js';
import { CallReverted, RpcAnswerError } from '../rpc-errors.js';
import type { BatchOptions, CallOptions, RpcCall } from '../endpoints/rpc-call.js';
import { RpcPool } from '../endpoints/rpc-pool.js';
import { sendRawTransaction, type SendOutcome } from './send-transaction.js';
import { secondOpinion, type SecondOpinion } from './second-opinion.js';
import {
  callObject,
  parseSimulation,
  simulationParams,
  type CallRequest,
  type SimulatedCall,
  type SimulateOptions,
} from './simulate.js';

/** Of the archive only ranges by numbers are asked. */
export interface LogOptions extends BatchOptions {
  /**
   * Logs heard elsewhere. An answer that lacks one which the filter matches is not taken, and the next endpoint is asked. They
   * must be of blocks that are still in the chain: of a range by numbers, no endpoint has the logs of a block that was replaced.
   */
  readonly mustHold?: readonly RawLog[];
}

export interface MulticallOptions extends CallOptions {
  /** Calls per eth_call. Nodes cap the gas of one eth_call, often at 50M: 250 calls of 130k gas are 33M. */
  readonly chunk?: number;
}

/** Headers per batch: what the nodes of providers serve in one request. */
const HEADERS_PER_BATCH = 100;

/** The calls the bot makes to the chain, typed and checked. Every read of a decision names the block hash it is pinned to. */
@Injectable()
export class Chain {
  constructor(private readonly pool: RpcPool) {}

  get chainId(): number {
    return this.pool.chainId;
  }

  /** @throws RpcError of the kind `out-of-sync` when no endpoint has the block. */
  getBlock(block: BlockRef, options?: CallOptions): Promise<Block> {
    const byHash = typeof block === 'string' && block.startsWith('0x');
    const method = byHash ? 'eth_getBlockByHash' : 'eth_getBlockByNumber';
    const asked = typeof block === 'number' ? hexQuantity(block) : block;
    return this.pool.call(method, [asked, false], (raw) => parseBlockAsked(raw, block), options);
  }

  /**
   * The headers from one number to another, both included, each the parent of the next. They travel in one batch; more than 100
   * in one after the other, each with the deadline for itself, so that what is in memory at once is never more than 100 answers.
   * Empty when `toNumber` is below `fromNumber`.
   *
   * @throws RpcError of the kind `bad-answer` when no endpoint gives headers that link, and `out-of-sync` when none has them all.
   */
  async getBlocks(fromNumber: number, toNumber: number, options?: CallOptions): Promise<Block[]> {
    const blocks: Block[] = [];
    while (fromNumber + blocks.length <= toNumber) {
      const from = fromNumber + blocks.length;
      const count = Math.min(HEADERS_PER_BATCH, toNumber - from + 1);
      const calls = Array.from({ length: count }, (_, index): RpcCall<Block> => ({
        method: 'eth_getBlockByNumber',
        params: [hexQuantity(from + index), false],
        parse: (raw) => parseBlockAsked(raw, from + index),
      }));
      const parent = blocks.at(-1);
      blocks.push(...(await this.pool.batchAs(calls, (headers) => linked(headers, parent), options)));
    }
    return blocks;
  }

  /**
   * Logs in the order of the chain, each checked against the filter's range and addresses.
   *
   * @param addresses none means any.
   * @throws LogRangeTooLarge when the provider wants a shorter range.
   * @throws RpcError of the kind `bad-answer` when every endpoint's answer lacks a log of {@link LogOptions.mustHold}.
   */
  getLogs(
    range: LogRange,
    addresses: readonly Address[],
    topics: TopicFilter,
    options?: LogOptions,
  ): Promise<RawLog[]> {
    const blocks =
      'blockHash' in range
        ? { blockHash: range.blockHash }
        : { fromBlock: hexQuantity(range.fromBlock), toBlock: hexQuantity(range.toBlock) };
    const filter = { ...blocks, ...(addresses.length > 0 && { address: addresses }), topics };
    const known = (options?.mustHold ?? []).filter((log) => isAskedFor(log, range, addresses, topics));
    const parse = (raw: unknown): RawLog[] => {
      const logs = parseLogs(raw, range, addresses);
      mustHold(logs, known);
      return logs;
    };
    const logs: RpcCall<RawLog[]> = { method: 'eth_getLogs', params: [filter], parse };
    if ('blockHash' in range) return this.pool.call(logs.method, logs.params, logs.parse, options);
    // A node that does not have the whole range answers with what it has, without a word.
    const last: RpcCall<Block> = {
      method: 'eth_getBlockByNumber',
      params: [hexQuantity(range.toBlock), false],
      parse: (raw) => parseBlockAsked(raw, range.toBlock),
    };
    return this.pool.batchAs([logs, last], ([found]) => answerOf(found), options);
  }

  /** What the call returns at this block, or the revert: to revert is a result, not a fault. */
  async ethCall(call: CallRequest, blockHash: Hash, options?: CallOptions): Promise<Hex | CallReverted> {
    try {
      return await this.pool.call('eth_call', [callObject(call), blockParam(blockHash)], toData, options);
    } catch (error) {
      if (error instanceof CallReverted) return error;
      throw error;
    }
  }

  /**
   * Many calls at one block through Multicall3 in one round trip, however many eth_calls it takes; a revert of one is its result.
   *
   * @throws CallReverted when a whole chunk ran out of gas: make the chunks smaller.
   */
  async multicall(
    calls: readonly MulticallCall[],
    blockHash: Hash,
    options?: MulticallOptions,
  ): Promise<MulticallResult[]> {
    const size = options?.chunk ?? 250;
    const chunks: RpcCall<MulticallResult[]>[] = [];
    for (let from = 0; from < calls.length; from += size) {
      const chunk = calls.slice(from, from + size);
      const request = callObject({ to: MULTICALL3, data: encodeAggregate3(chunk) });
      chunks.push({
        method: 'eth_call',
        params: [request, blockParam(blockHash)],
        parse: (raw) => decodeAggregate3(toData(raw), chunk.length),
      });
    }
    const answers = await this.pool.batch(chunks, options);
    return answers.flatMap((answer) => {
      if (answer instanceof RpcAnswerError) throw answer;
      return answer;
    });
  }

  /** Calls one after the other on top of a block, each seeing what the ones before it did. A revert is that call's result. */
  simulateV1(
    calls: readonly CallRequest[],
    block: Hash,
    options?: SimulateOptions & CallOptions,
  ): Promise<SimulatedCall[]> {
    const params = [simulationParams(calls, options), blockParam(block)];
    return this.pool.call('eth_simulateV1', params, (raw) => parseSimulation(raw, calls.length), options);
  }

  /**
   * Whether the last of the calls, on top of a block and after the others, succeeds in the eyes of a second endpoint too. Every
   * live endpoint is asked, and not only the one that did not answer before: which that was is no matter then. Never throws; within
   * half a second unless told otherwise. For F09, a node that lies about calls: one word is no proof.
   */
  secondOpinion(calls: readonly CallRequest[], block: Hash, options?: CallOptions): Promise<SecondOpinion> {
    return secondOpinion(this.pool, calls, block, options);
  }

  /** The next nonce. With `pending` the transactions that wait in the node's pool count too. */
  getTransactionCount(address: Address, block: BlockRef = 'latest', options?: CallOptions): Promise<number> {
    return this.pool.call('eth_getTransactionCount', [address, blockParam(block)], toNumber, options);
  }

  /** Wei. */
  getBalance(address: Address, block: BlockRef = 'latest', options?: CallOptions): Promise<bigint> {
    return this.pool.call('eth_getBalance', [address, blockParam(block)], toBigInt, options);
  }

  /** `0x` where there is no contract. */
  getCode(address: Address, block: BlockRef = 'latest', options?: CallOptions): Promise<Hex> {
    return this.pool.call('eth_getCode', [address, blockParam(block)], toData, options);
  }

  /** Undefined while the transaction is not mined, or not known, at the endpoint that answered. */
  getTransactionReceipt(hash: Hash, options?: CallOptions): Promise<Receipt | undefined> {
    return this.pool.call('eth_getTransactionReceipt', [hash], (raw) => parseReceipt(raw, hash), options);
  }

  /** Looks a transaction up, waiting or mined. Undefined only means that the endpoint that answered does not have it. */
  getTransaction(hash: Hash, options?: CallOptions): Promise<PooledTransaction | undefined> {
    return this.pool.call('eth_getTransactionByHash', [hash], (raw) => parseTransaction(raw, hash), options);
  }

  /**
   * Sends a signed transaction to every live endpoint at once and returns as soon as one has it. Never sends it again by itself.
   * Its hash is computed by us: a node that names another one has not accepted ours.
   *
   * @throws RpcError when no endpoint may be used: nothing was sent.
   */
  sendRawTransaction(raw: Hex, expectedHash: Hash, options?: CallOptions): Promise<SendOutcome> {
    return sendRawTransaction(this.pool, raw, expectedHash, options);
  }
}

/** @throws RpcAnswerError when the node refused. */
function answerOf<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw answer;
  return answer;
}

/** @throws TypeError when a header is not the child of the one before it, the first of `parent` where there is one. */
function linked(headers: readonly (Block | RpcAnswerError)[], parent: Block | undefined): Block[] {
  return headers.map((answer) => {
    const header = answerOf(answer);
    if (parent && header.parentHash !== parent.hash)
      throw new TypeError(`block ${header.number} is not the child of the block before it`);
    parent = header;
    return header;
  });
}
