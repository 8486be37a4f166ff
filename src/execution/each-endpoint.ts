import type { Address, Hash, Hex } from '../domain/hex.js';
import type { TransactionCall } from '../domain/plan.js';
import {
  blockParam,
  HEAD_NUMBER,
  parseReceipt,
  parseTransaction,
  sealedAt,
  type Receipt,
} from '../rpc/chain/chain-answers.js';
import { BALANCE_IN_SIMULATION, parseSimulation, simulationParams } from '../rpc/chain/simulate.js';
import type { RpcCall, RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { toData, toNonce } from '../rpc/quantities.js';
import { RpcAnswerError } from '../rpc/rpc-errors.js';

/**
 * For one question to all endpoints. They are asked at once, and one that does not answer must not hold the
 * pass up for long. Milliseconds.
 */
export const EACH_DEADLINE_MS = 500;

/** A call that is simulated without its fees: the base fee may be above them. */
export type SentCall = Pick<TransactionCall, 'to' | 'data' | 'gasLimit'>;

/**
 * - succeeds: at every endpoint that answered.
 * - fails: at every endpoint that answered.
 * - disputed: the endpoints differ.
 * - unknown: none answered.
 */
export type Proof = 'succeeds' | 'fails' | 'disputed' | 'unknown';

/** Questions that each live endpoint answers for itself, because one answer is no proof. None throws. */
export class EachEndpoint {
  /** @param configured how many live endpoints there are, whether or not they serve now. */
  constructor(
    private readonly pool: RpcPool,
    readonly configured: number,
  ) {}

  /** How many transactions of the account the endpoints count, of those that answered. */
  counts(sender: Address): Promise<readonly number[]> {
    const params = [sender, 'latest'];
    return this.values({ method: 'eth_getTransactionCount', params, parse: toNonce });
  }

  /**
   * The receipts at each endpoint that answered, within the usual time, by the hashes of the transactions;
   * undefined where it has none.
   */
  async receipts(hashes: readonly Hash[]): Promise<ReadonlyMap<Hash, readonly (Receipt | undefined)[]>> {
    const calls = hashes.map((hash): RpcCall<Receipt | undefined> => ({
      method: 'eth_getTransactionReceipt',
      params: [hash],
      parse: (raw) => parseReceipt(raw, hash),
    }));
    const answers = await this.pool.batchEach([HEAD_NUMBER, ...calls], ([head, ...receipts]) =>
      receipts.map((receipt) =>
        receipt instanceof RpcAnswerError ? [] : [sealedAt(answered(head), receipt)],
      ),
    );
    const heard = answers.flatMap((answer) => (answer.error === undefined ? [answer.value] : []));
    return new Map(hashes.map((hash, index) => [hash, heard.flatMap((receipts) => receipts[index] ?? [])]));
  }

  /** Whether each endpoint that answered knows the transaction, pending or mined. */
  known(hash: Hash): Promise<readonly boolean[]> {
    const parse = (raw: unknown): boolean => parseTransaction(raw, hash) !== undefined;
    return this.values({ method: 'eth_getTransactionByHash', params: [hash], parse });
  }

  /** Those that an endpoint knows, pending or mined. One request to each. */
  async knownOf(hashes: readonly Hash[]): Promise<ReadonlySet<Hash>> {
    const calls = hashes.map((hash): RpcCall<boolean> => ({
      method: 'eth_getTransactionByHash',
      params: [hash],
      parse: (raw) => parseTransaction(raw, hash) !== undefined,
    }));
    const answers = await this.pool.batchEach(calls, (known) => known.map((one) => one === true), {
      deadlineMs: EACH_DEADLINE_MS,
    });
    const heard = answers.flatMap((answer) => (answer.error === undefined ? [answer.value] : []));
    return new Set(hashes.filter((_, index) => heard.some((known) => known[index])));
  }

  /** The code of the account: `0x` where there is none. */
  codes(address: Address): Promise<readonly Hex[]> {
    return this.values({ method: 'eth_getCode', params: [address, 'latest'], parse: toData });
  }

  /**
   * What the calls do on top of the newest block, one after the other. One with fees is simulated as it would
   * be signed.
   */
  async simulate(sender: Address, calls: readonly (SentCall | TransactionCall)[]): Promise<readonly Proof[]> {
    if (calls.length === 0) return [];
    const requests = calls.map(({ to, data, gasLimit, ...call }) => ({
      ...{ from: sender, to, data, gas: gasLimit },
      ...('maxFeePerGas' in call && { fees: call }),
    }));
    const stateOverrides = { [sender]: { balance: BALANCE_IN_SIMULATION } };
    const heard = await this.values({
      method: 'eth_simulateV1',
      params: [simulationParams(requests, { stateOverrides }), blockParam('latest')],
      parse: (raw) => parseSimulation(raw, calls.length).map(({ success }) => success),
    });
    return calls.map((_, index) => proofOf(heard.map((results) => results[index] === true)));
  }

  private async values<T>(call: RpcCall<T>): Promise<readonly T[]> {
    const answers = await this.pool.askEach(call, { deadlineMs: EACH_DEADLINE_MS });
    return answers.flatMap((answer) => (answer.error === undefined ? [answer.value] : []));
  }
}

/** @throws RpcAnswerError when the node refused. */
function answered<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw answer;
  return answer;
}

function proofOf(successes: readonly boolean[]): Proof {
  if (successes.length === 0) return 'unknown';
  if (successes.every(Boolean)) return 'succeeds';
  return successes.some(Boolean) ? 'disputed' : 'fails';
}
