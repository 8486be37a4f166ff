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
  /** One list for each simulation, with one result for each of its calls. A revert is a result. */
  readonly simulated: readonly (readonly SimulatedCall[])[];
  /** What was read at the block. */
  readonly values: T;
}

/** What to simulate and to read at one block. */
export interface TestimonyRequest<T> {
  /** Each simulates its calls on top of the block, one after the other. */
  readonly simulations: readonly (readonly CallRequest[])[];
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

/** A part of a testimony. */
type Part =
  | { readonly kind: 'simulated'; readonly calls: readonly SimulatedCall[] }
  | { readonly kind: 'read'; readonly results: readonly MulticallResult[] };

type Questions = readonly [RpcCall<Block>, ...(readonly RpcCall<Part>[])];

function questions<T>(
  { simulations, read, block }: TestimonyRequest<T>,
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
      ...simulations.map((calls) => simulationOf(calls, block)),
      ...aggregates(read.calls, block).map(readOf),
    ],
    combine: ([header, ...answers]) => {
      const parts = answers.map(answerOf);
      return {
        block: answerOf(header),
        simulated: parts.flatMap((part) => (part.kind === 'simulated' ? [part.calls] : [])),
        values: read.decode(parts.flatMap((part) => (part.kind === 'read' ? part.results : []))),
      };
    },
  };
}

function simulationOf(calls: readonly CallRequest[], block: Hash): RpcCall<Part> {
  return {
    method: 'eth_simulateV1',
    params: [simulationParams(calls), blockParam(block)],
    parse: (raw) => ({ kind: 'simulated', calls: parseSimulation(raw, calls.length) }),
  };
}

function readOf(call: RpcCall<MulticallResult[]>): RpcCall<Part> {
  return { ...call, parse: (raw) => ({ kind: 'read', results: call.parse(raw) }) };
}

/** @throws RpcAnswerError when the node refused. */
function answerOf<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw answer;
  return answer;
}
