import type { Block } from '../../domain/block.js';
import type { Hash } from '../../domain/hex.js';
import type { BatchAnswers, CallOptions, EndpointAnswer, RpcCall } from '../endpoints/rpc-call.js';
import type { RpcPool } from '../endpoints/rpc-pool.js';
import type { HeaderHashes } from '../header-hashes.js';
import { RpcAnswerError } from '../rpc-errors.js';
import { blockParam, parseBlockAsked } from './chain-answers.js';
import { aggregates, type MulticallResult, type Read } from './multicall3.js';
import { parseSimulation, simulationParams, type CallRequest, type SimulatedCall } from './simulate.js';

/** Everything that one endpoint says about calls on top of a block. */
export interface Testimony<T> {
  /** The header of the block. */
  readonly block: Block;
  /** One for each call, each on top of those before it. A revert is a result. */
  readonly simulated: readonly SimulatedCall[];
  /** What was read at the block. */
  readonly values: T;
}

/** The calls to simulate and the values to read, at one block. */
export interface TestimonyRequest<T> {
  readonly calls: readonly CallRequest[];
  readonly read: Read<T>;
  readonly block: Hash;
}

/** The testimony of the first endpoint that gives it, in one request. @throws as `RpcPool.batchAs`. */
export function testimony<T>(
  pool: RpcPool,
  request: TestimonyRequest<T>,
  options?: CallOptions,
): Promise<Testimony<T>> {
  const { calls, combine } = questions(request, pool.headers);
  return pool.batchAs(calls, combine, options);
}

/**
 * The testimony of each live endpoint that may be used. They are asked at once, with one request each. An
 * error of an endpoint is its answer. Never throws.
 */
export function testimonies<T>(
  pool: RpcPool,
  request: TestimonyRequest<T>,
  options?: CallOptions,
): Promise<EndpointAnswer<Testimony<T>>[]> {
  const { calls, combine } = questions(request, pool.headers);
  return pool.batchEach(calls, combine, options);
}

type Questions = readonly [
  RpcCall<Block>,
  RpcCall<SimulatedCall[]>,
  ...(readonly RpcCall<MulticallResult[]>[]),
];

function questions<T>(
  { calls, read, block }: TestimonyRequest<T>,
  hashes: HeaderHashes,
): {
  readonly calls: Questions;
  readonly combine: (answers: BatchAnswers<Questions>) => Testimony<T>;
} {
  return {
    calls: [
      {
        method: 'eth_getBlockByHash',
        params: [block, false],
        parse: (raw) => parseBlockAsked(raw, block, hashes),
      },
      {
        method: 'eth_simulateV1',
        params: [simulationParams(calls), blockParam(block)],
        parse: (raw) => parseSimulation(raw, calls.length),
      },
      ...aggregates(read.calls, block),
    ],
    combine: ([header, simulated, ...chunks]) => ({
      block: answerOf(header),
      simulated: answerOf(simulated),
      values: read.decode(chunks.flatMap(answerOf)),
    }),
  };
}

/** @throws RpcAnswerError when the node refused. */
function answerOf<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw answer;
  return answer;
}
