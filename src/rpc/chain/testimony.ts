import type { Block } from '../../domain/block.js';
import type { Hash } from '../../domain/hex.js';
import type { BatchAnswers, CallOptions, EndpointAnswer, RpcCall } from '../endpoints/rpc-call.js';
import type { RpcPool } from '../endpoints/rpc-pool.js';
import type { HeaderHashes } from '../header-hashes.js';
import { RpcAnswerError } from '../rpc-errors.js';
import { blockParam, parseBlockAsked } from './chain-answers.js';
import { partCall, partsOf, settle, type Part, type PartAnswer } from './gas-split.js';
import type { MulticallResult, Read } from './multicall3.js';
import {
  parseSimulation,
  simulationParams,
  type CallRequest,
  type SimulatedCall,
  type SimulateOptions,
} from './simulate.js';

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
  /** Of the state on which they are simulated. */
  readonly stateOverrides?: SimulateOptions['stateOverrides'];
  /** Of the simulated block, seconds since the epoch; above that of the block. */
  readonly timestamp?: number;
  readonly read: Read<T>;
  readonly block: Hash;
}

/**
 * The testimony of the first endpoint that gives it, in one request. Reads for which the gas of an eth_call
 * did not suffice are asked for again, in smaller parts (F47).
 *
 * @param chunk calls in one eth_call, at most.
 * @throws as `RpcPool.batchAs`.
 */
export async function testimony<T>(
  pool: RpcPool,
  request: TestimonyRequest<T>,
  chunk: number,
  options?: CallOptions,
): Promise<Testimony<T>> {
  const { calls, combine } = opening(request, chunk, pool.headers);
  let heard = await pool.batchAs(calls, combine, options);
  while ('rest' in heard) {
    const again = continued(request, heard);
    heard = await pool.batchAs(again.calls, again.combine, options);
  }
  return heard;
}

/**
 * The testimony of each live endpoint that may be used. They are asked at once, with one request each, and
 * with another one each where the gas did not suffice. An error of an endpoint is its answer. Never throws.
 */
export async function testimonies<T>(
  pool: RpcPool,
  request: TestimonyRequest<T>,
  chunk: number,
  options?: CallOptions,
): Promise<EndpointAnswer<Testimony<T>>[]> {
  const { calls, combine } = opening(request, chunk, pool.headers);
  const completed = async (answer: EndpointAnswer<Heard<T>>): Promise<EndpointAnswer<Testimony<T>>[]> => {
    if (answer.error) return [answer];
    const { role, value } = answer;
    if (!('rest' in value)) return [{ role, value }];
    const again = continued(request, value);
    const answers = await pool.batchEach(again.calls, again.combine, { ...options, only: role });
    return (await Promise.all(answers.map(completed))).flat();
  };
  const answers = await pool.batchEach(calls, combine, options);
  return (await Promise.all(answers.map(completed))).flat();
}

/** A testimony of which some reads have to be asked for again. */
interface Unfinished {
  readonly block: Block;
  readonly simulated: readonly (readonly SimulatedCall[])[];
  /** Those reads that were answered, by their place. */
  readonly results: MulticallResult[];
  readonly rest: readonly Part[];
}

type Heard<T> = Testimony<T> | Unfinished;

/** One answer of a testimony. */
type Piece =
  | { readonly kind: 'simulated'; readonly calls: readonly SimulatedCall[] }
  | { readonly kind: 'read'; readonly answer: PartAnswer };

type Questions = readonly [RpcCall<Block>, ...(readonly RpcCall<Piece>[])];

function opening<T>(
  request: TestimonyRequest<T>,
  chunk: number,
  hashes: HeaderHashes,
): {
  readonly calls: Questions;
  readonly combine: (answers: BatchAnswers<Questions>) => Heard<T>;
} {
  const { simulations, stateOverrides, timestamp, read, block } = request;
  const options = {
    ...(stateOverrides && { stateOverrides }),
    ...(timestamp !== undefined && { blockOverrides: { timestamp } }),
  };
  const parts = partsOf(read.calls.length, chunk);
  return {
    calls: [
      {
        method: 'eth_getBlockByHash',
        params: [block, false],
        parse: (raw) => parseBlockAsked(raw, block, hashes),
      },
      ...simulations.map((calls) => simulationOf(calls, block, options)),
      ...parts.map((part) => readOf(partCall(read.calls, part, block, { again: false }))),
    ],
    combine: ([header, ...answers]) => {
      const simulated = answers.slice(0, simulations.length).map(answerOf);
      const told = {
        block: answerOf(header),
        simulated: simulated.flatMap((piece) => (piece.kind === 'simulated' ? [piece.calls] : [])),
        results: [],
      };
      return settled(request, told, parts, answers.slice(simulations.length).map(readAnswerOf));
    },
  };
}

/** Asks for the rest of the reads. */
function continued<T>(
  request: TestimonyRequest<T>,
  { rest, ...told }: Unfinished,
): {
  readonly calls: readonly RpcCall<PartAnswer>[];
  readonly combine: (answers: (PartAnswer | RpcAnswerError)[]) => Heard<T>;
} {
  const { read, block } = request;
  return {
    calls: rest.map((part) => partCall(read.calls, part, block, { again: true })),
    combine: (answers) => settled(request, { ...told, results: [...told.results] }, rest, answers),
  };
}

function settled<T>(
  { read }: TestimonyRequest<T>,
  told: Omit<Unfinished, 'rest'>,
  parts: readonly Part[],
  answers: readonly (PartAnswer | RpcAnswerError)[],
): Heard<T> {
  const { block, simulated, results } = told;
  const rest = answers.flatMap((answer, index) => settle(parts[index] ?? [], answer, results));
  return rest.length > 0 ? { ...told, rest } : { block, simulated, values: read.decode(results) };
}

function simulationOf(calls: readonly CallRequest[], block: Hash, options: SimulateOptions): RpcCall<Piece> {
  return {
    method: 'eth_simulateV1',
    params: [simulationParams(calls, options), blockParam(block)],
    parse: (raw) => ({ kind: 'simulated', calls: parseSimulation(raw, calls.length) }),
  };
}

function readOf(call: RpcCall<PartAnswer>): RpcCall<Piece> {
  return { ...call, parse: (raw) => ({ kind: 'read', answer: call.parse(raw) }) };
}

function readAnswerOf(piece: Piece | RpcAnswerError): PartAnswer | RpcAnswerError {
  if (piece instanceof RpcAnswerError) return piece;
  if (piece.kind === 'read') return piece.answer;
  throw new TypeError('the answers are out of order');
}

/** @throws RpcAnswerError when the node refused. */
function answerOf<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw answer;
  return answer;
}
