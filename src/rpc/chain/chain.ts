import { Injectable } from '@nestjs/common';

import type { Block } from '../../domain/block.js';
import { BlockTime } from '../../domain/block-time.js';
import { chainDescription } from '../../domain/chain-description.js';
import { errorFrom } from '../../domain/errors.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import {
  blockParam,
  HEAD_NUMBER,
  parseBlockAsked,
  parseReceipt,
  parseTransaction,
  sealedAt,
  type BlockRef,
  type LogRange,
  type PooledTransaction,
  type RawLog,
  type Receipt,
} from './chain-answers.js';
import { partCall, partsOf, settle, type Part, type PartAnswer } from './gas-split.js';
import { aggregates, type MulticallCall, type MulticallResult } from './multicall3.js';
import { hexQuantity, toBalanceWei, toData, toNonce } from '../quantities.js';
import { CallReverted, RpcAnswerError } from '../rpc-errors.js';
import { AdaptiveSize } from '../endpoints/adaptive-size.js';
import type { BatchOptions, CallOptions, EndpointAnswer, RpcCall } from '../endpoints/rpc-call.js';
import { RpcPool } from '../endpoints/rpc-pool.js';
import type { LogHistory } from '../history/log-history.js';
import { LogReads } from './log-reads.js';
import { sendRawTransactions, type RawTransaction, type SendOutcome } from './send-transaction.js';
import {
  callObject,
  parseSimulation,
  simulationParams,
  type CallRequest,
  type SimulatedCall,
  type SimulateOptions,
} from './simulate.js';
import { testimonies, testimony, type Testimony, type TestimonyRequest } from './testimony.js';

export interface MulticallOptions extends CallOptions {
  /** Calls in one eth_call, at most. */
  readonly chunk?: number;
}

/** Calls in one eth_call. Nodes limit its gas, often to 50M: 250 calls of 130k gas are 33M. */
const CHUNK = { first: 250, largest: 250, patience: 32 } as const;
const FEWEST_IN_CHUNK = 25;
/** Headers in one batch: as many as the nodes of providers serve in one request. */
const HEADERS_PER_BATCH = 100;

/**
 * The calls of the bot to the chain, typed and checked. All reads for one decision name the same block hash.
 */
@Injectable()
export class Chain {
  private readonly logs: LogReads;
  private readonly chunk = new AdaptiveSize(CHUNK);
  /** In whose name multicalls are asked: some pools tell each sender of a transaction another fee. */
  private caller: Address | undefined;

  /** As its heads have told. Whoever hears heads gives them to it. */
  readonly blockTime: BlockTime;

  /** @param history of old logs, beside the nodes. */
  constructor(
    private readonly pool: RpcPool,
    private readonly history?: LogHistory,
  ) {
    this.logs = new LogReads(pool, history);
    this.blockTime = new BlockTime(chainDescription(pool.chainId));
  }

  get chainId(): number {
    return this.pool.chainId;
  }

  /** From here on, what is read by multicalls is what this account would find in a transaction of its own. */
  askAs(account: Address): void {
    this.caller = account;
  }

  /** Whether there is a second endpoint to ask, beside the archive. */
  get hasTwoEndpoints(): boolean {
    return this.pool.status().filter(({ role }) => role !== 'archive').length > 1;
  }

  /** Whether no endpoint can change a field of a header, because its hash is computed from them. */
  get headersAreProven(): boolean {
    return this.pool.headers.areProven;
  }

  /** @throws RpcError of the kind `out-of-sync` when no endpoint has the block. */
  getBlock(block: BlockRef, options?: CallOptions): Promise<Block> {
    const byHash = typeof block === 'string' && block.startsWith('0x');
    const method = byHash ? 'eth_getBlockByHash' : 'eth_getBlockByNumber';
    const asked = typeof block === 'number' ? hexQuantity(block) : block;
    return this.pool.call(
      method,
      [asked, false],
      (raw) => parseBlockAsked(raw, block, this.pool.headers),
      options,
    );
  }

  /** The block of a number as each live endpoint gives it, asked at once. Never throws. */
  blockEverywhere(number: number, options?: CallOptions): Promise<EndpointAnswer<Block>[]> {
    const params = [hexQuantity(number), false];
    const parse = (raw: unknown): Block => parseBlockAsked(raw, number, this.pool.headers);
    return this.pool.askEach({ method: 'eth_getBlockByNumber', params, parse }, options);
  }

  /**
   * The headers from one number to another, both included, each the parent of the next. They travel in
   * batches of 100, one batch after the other, so that no more than 100 answers are in memory at once. Each
   * batch has the deadline for itself. The list is empty when `toNumber` is below `fromNumber`.
   *
   * @throws RpcError of the kind `bad-answer` when no endpoint gives headers that link, `out-of-sync` when
   * none has them all.
   */
  async getBlocks(fromNumber: number, toNumber: number, options?: CallOptions): Promise<Block[]> {
    const blocks: Block[] = [];
    while (fromNumber + blocks.length <= toNumber) {
      const from = fromNumber + blocks.length;
      const count = Math.min(HEADERS_PER_BATCH, toNumber - from + 1);
      const calls = Array.from({ length: count }, (_, index): RpcCall<Block> => ({
        method: 'eth_getBlockByNumber',
        params: [hexQuantity(from + index), false],
        parse: (raw) => parseBlockAsked(raw, from + index, this.pool.headers),
      }));
      const parent = blocks.at(-1);
      blocks.push(...(await this.pool.batchAs(calls, (headers) => linked(headers, parent), options)));
    }
    return blocks;
  }

  /**
   * Logs in the order of the chain, each checked against the range and the addresses of the filter. A list of
   * addresses that is refused is asked for in parts, as many at once as are served.
   *
   * @param addresses no address means any address.
   * @throws LogRangeTooLarge when the provider wants a shorter range; an RpcError with `tooMuch` when it may.
   * @throws RpcError of the kind `bad-answer` when no endpoint answers with all logs of `mustHold`.
   */
  getLogs(...ask: Parameters<LogReads['read']>): Promise<RawLog[]> {
    return this.logs.read(...ask);
  }

  /**
   * The logs of a range as each live endpoint gives them, asked at once. No address means any address. Never
   * throws.
   */
  logsEverywhere(...ask: Parameters<LogReads['everywhere']>): Promise<EndpointAnswer<RawLog[]>[]> {
    return this.logs.everywhere(...ask);
  }

  /** As {@link logsEverywhere}, but not of the endpoint that is asked first, unless it is the only one. */
  logsElsewhere(range: LogRange, addresses: readonly Address[]): Promise<EndpointAnswer<RawLog[]>[]> {
    return this.logs.everywhere(range, addresses, { except: this.pool.firstFor() });
  }

  /**
   * How many blocks the endpoint that would be asked now serves in one range of logs. It is learned by
   * whoever reads ranges, and remembered for each endpoint.
   */
  logSpan(options?: Pick<BatchOptions, 'archive'>): AdaptiveSize {
    return this.logs.span(options);
  }

  /** From now on only nodes are asked for old logs. */
  distrustHistory(reason: string): void {
    this.history?.distrust(reason);
  }

  /** What the call returns at this block, or the revert, which is a result and not thrown. */
  async ethCall(call: CallRequest, blockHash: Hash, options?: CallOptions): Promise<Hex | CallReverted> {
    try {
      return await this.pool.call('eth_call', [callObject(call), blockParam(blockHash)], toData, options);
    } catch (error) {
      if (error instanceof CallReverted) return error;
      throw error;
    }
  }

  /**
   * Many calls at one block through Multicall3, in one round trip of as many eth_calls as needed. A revert is
   * a result. Calls for which the gas of an eth_call did not suffice are asked again in smaller parts. One
   * that needs too much alone is a failure with `outOfGas`, and the others are answered (F47).
   */
  multicall(
    calls: readonly MulticallCall[],
    blockHash: Hash,
    options?: MulticallOptions,
  ): Promise<MulticallResult[]> {
    return this.multicallAs(calls, blockHash, (results) => results, options);
  }

  /**
   * As {@link multicall}, and makes one value of the results.
   *
   * @param decode when it throws a TypeError or a RangeError, the answer was bad (data too short, a number
   *   out of its range), and the next endpoint is asked. Any other error is thrown as it is.
   */
  async multicallAs<T>(
    calls: readonly MulticallCall[],
    blockHash: Hash,
    decode: (results: MulticallResult[]) => T,
    options?: MulticallOptions,
  ): Promise<T> {
    if (calls.length === 0) return decode([]);
    const results: MulticallResult[] = [];
    let parts = partsOf(calls.length, Math.min(options?.chunk ?? Infinity, this.chunk.next(calls.length)));
    for (let again = false; ; again = true) {
      const asked = parts.map((part) => partCall(calls, part, blockHash, { again, from: this.caller }));
      const round = await this.pool.batchAs(
        asked,
        (answers) => {
          const rest = answers.flatMap((answer, index) => settle(parts[index] ?? [], answer, results));
          return rest.length > 0 ? { rest, answers } : valueOrFailure(() => decode(results));
        },
        options,
      );
      if ('failure' in round) throw round.failure;
      if ('value' in round) {
        if (parts.length === 1) this.chunk.served(calls.length);
        return round.value;
      }
      for (const [index, answer] of round.answers.entries()) this.learnChunk(parts[index] ?? [], answer);
      parts = round.rest;
    }
  }

  /** One call may need more than all others together, so a part that ends early is no reason to go below. */
  private learnChunk(part: Part, answer: PartAnswer | RpcAnswerError): void {
    if (answer instanceof RpcAnswerError && part.length > FEWEST_IN_CHUNK) this.chunk.refused(part.length);
  }

  /**
   * What each live endpoint that serves answers to the same calls at one block, asked at once: for a second
   * look at a few values. Never throws.
   */
  async multicallEverywhere(
    calls: readonly MulticallCall[],
    blockHash: Hash,
    options?: CallOptions,
  ): Promise<readonly MulticallResult[][]> {
    const chunks = aggregates(calls, blockHash, { from: this.caller });
    const answers = await this.pool.batchEach(chunks, (results) => results.flatMap(answerOf), options);
    return answers.flatMap(({ value }) => (value ? [value] : []));
  }

  /**
   * Simulates calls on top of a block. Each call sees the effects of those before it. A revert is a result.
   */
  simulateV1(
    calls: readonly CallRequest[],
    block: Hash,
    options?: SimulateOptions & CallOptions,
  ): Promise<SimulatedCall[]> {
    const params = [simulationParams(calls, options), blockParam(block)];
    return this.pool.call('eth_simulateV1', params, (raw) => parseSimulation(raw, calls.length), options);
  }

  /** What the first endpoint that serves it says of calls on top of a block. @throws as `RpcPool.batchAs`. */
  testimony<T>(request: TestimonyRequest<T>, options?: CallOptions): Promise<Testimony<T>> {
    return testimony(this.pool, request, this.chunk.size, options);
  }

  /**
   * What each live endpoint says of calls on top of a block: a node may be wrong, or lie (F09, F42). They are
   * asked at once. Never throws.
   */
  testimonies<T>(
    request: TestimonyRequest<T>,
    options?: CallOptions,
  ): Promise<EndpointAnswer<Testimony<T>>[]> {
    return testimonies(this.pool, request, this.chunk.size, options);
  }

  /** The next nonce. With `pending` the transactions in the pool of the node count too. */
  getTransactionCount(address: Address, block: BlockRef = 'latest', options?: CallOptions): Promise<number> {
    return this.pool.call('eth_getTransactionCount', [address, blockParam(block)], toNonce, options);
  }

  /** Wei. */
  getBalance(address: Address, block: BlockRef = 'latest', options?: CallOptions): Promise<bigint> {
    return this.pool.call('eth_getBalance', [address, blockParam(block)], toBalanceWei, options);
  }

  /** `0x` where there is no contract. */
  getCode(address: Address, block: BlockRef = 'latest', options?: CallOptions): Promise<Hex> {
    return this.pool.call('eth_getCode', [address, blockParam(block)], toData, options);
  }

  /** Undefined when the endpoint that answered does not know the transaction, or not as mined. */
  getTransactionReceipt(hash: Hash, options?: CallOptions): Promise<Receipt | undefined> {
    const parse = (raw: unknown): Receipt | undefined => parseReceipt(raw, hash);
    return this.pool.batchAs(
      [{ method: 'eth_getTransactionReceipt', params: [hash], parse }, HEAD_NUMBER],
      ([receipt, head]) => sealedAt(answerOf(head), answerOf(receipt)),
      options,
    );
  }

  /**
   * A transaction, pending or mined. Undefined only means that the endpoint that answered does not have it.
   */
  getTransaction(hash: Hash, options?: CallOptions): Promise<PooledTransaction | undefined> {
    return this.pool.call('eth_getTransactionByHash', [hash], (raw) => parseTransaction(raw, hash), options);
  }

  /**
   * Sends signed transactions to every live endpoint at once, in this order and without waiting for an
   * answer between two of them. Each promise fulfils as soon as one endpoint has its transaction. Nothing
   * is sent again by itself, unless an endpoint refuses the batch: the same bytes twice are one
   * transaction. A node that answers another hash than the one that we computed has not accepted our
   * transaction.
   *
   * Each promise rejects with an RpcError when no endpoint may be used. Then nothing was sent.
   */
  sendRawTransactions(
    transactions: readonly RawTransaction[],
    options?: CallOptions,
  ): Promise<SendOutcome>[] {
    return sendRawTransactions(this.pool, transactions, options);
  }

  /** As {@link sendRawTransactions}, for one. @throws RpcError when no endpoint may be used. */
  async sendRawTransaction(raw: Hex, hash: Hash, options?: CallOptions): Promise<SendOutcome> {
    const [outcome] = await Promise.all(this.sendRawTransactions([{ raw, hash }], options));
    return outcome ?? { kind: 'unknown', detail: 'no answer' };
  }
}

/** @throws RpcAnswerError when the node refused. */
function answerOf<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw answer;
  return answer;
}

/** @throws TypeError or RangeError, which mean a bad answer. Another error is returned. */
function valueOrFailure<T>(decode: () => T): { readonly value: T } | { readonly failure: Error } {
  try {
    return { value: decode() };
  } catch (thrown) {
    const failure = errorFrom(thrown);
    if (failure instanceof TypeError || failure instanceof RangeError || failure instanceof RpcAnswerError)
      throw failure;
    return { failure };
  }
}

/**
 * @param parent what the first header must be the child of; undefined for any.
 * @throws TypeError when a header is not the child of the one before it.
 */
function linked(headers: readonly (Block | RpcAnswerError)[], parent: Block | undefined): Block[] {
  return headers.map((answer) => {
    const header = answerOf(answer);
    if (parent && header.parentHash !== parent.hash)
      throw new TypeError(`block ${header.number} is not the child of the block before it`);
    parent = header;
    return header;
  });
}
