import { HaltError } from '../../domain/errors.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import { hexQuantity } from '../quantities.js';
import { JsonRpcEndpoint, type RpcAnswer, type RpcRequest } from './json-rpc-endpoint.js';
import type { RpcError } from '../rpc-errors.js';
import { isSending } from './sending.js';

/** An account as it is assumed to be. The slots that are not named stay as they are. */
export interface AssumedAccount {
  /** Wei. */
  readonly balance?: bigint;
  readonly code?: Hex;
  readonly stateDiff?: Readonly<Record<Hash, Hash>>;
}

/**
 * Our contract and its executor, as a bot takes them for granted that has neither: every question to a node
 * is asked as if they were on the chain. A bot with an assumed contract can send nothing.
 */
export class AssumedContract {
  readonly #overrides: Readonly<Record<Address, object>>;
  /**
   * @param operator an address without a known key.
   * @param accounts by their lower-case addresses.
   */
  constructor(
    readonly address: Address,
    readonly operator: Address,
    private readonly accounts: Readonly<Record<Address, AssumedAccount>>,
  ) {
    this.#overrides = Object.fromEntries(
      Object.entries(accounts).map(([account, { balance, code, stateDiff }]) => [
        account,
        {
          ...(balance !== undefined && { balance: hexQuantity(balance) }),
          ...(code !== undefined && { code }),
          ...(stateDiff && { stateDiff }),
        },
      ]),
    );
  }

  /** The request with the assumed state. @throws HaltError where it would send something. */
  assuming(request: RpcRequest): RpcRequest {
    const { method, params } = request;
    if (isSending(method)) throw new HaltError('nothing can be sent for a contract that is only assumed');
    if (method === 'eth_simulateV1') return { method, params: this.#ofSimulation(params) };
    if (method !== 'eth_call') return request;
    // Of an account that the call does not name nothing has to be assumed. Code is long.
    const text = JSON.stringify(params[0]).toLowerCase();
    const named = Object.entries(this.#overrides).filter(([account]) => text.includes(account.slice(2)));
    if (named.length === 0) return request;
    return { method, params: [params[0], params[1] ?? 'latest', Object.fromEntries(named)] };
  }

  /** What the node would have answered. */
  answerOf({ method, params }: RpcRequest, answer: RpcAnswer): RpcAnswer {
    if ('error' in answer) return answer;
    const account = this.accounts[String(params[0]).toLowerCase() as Address];
    if (method === 'eth_getCode' && account?.code !== undefined) return { result: account.code };
    if (method === 'eth_getBalance' && account?.balance !== undefined)
      return { result: hexQuantity(account.balance) };
    return answer;
  }

  /** What a simulation itself assumes of an account wins. */
  #ofSimulation([simulation, ...rest]: readonly unknown[]): unknown[] {
    const { blockStateCalls, ...terms } = simulation as { blockStateCalls: readonly SimulatedBlock[] };
    const [first, ...others] = blockStateCalls;
    const asked = first?.stateOverrides ?? {};
    const accounts = new Set([...Object.keys(this.#overrides), ...Object.keys(asked)]) as Set<Address>;
    const stateOverrides = Object.fromEntries(
      [...accounts].map((account) => [account, { ...this.#overrides[account], ...asked[account] }]),
    );
    return [{ ...terms, blockStateCalls: [{ ...first, stateOverrides }, ...others] }, ...rest];
  }
}

interface SimulatedBlock {
  readonly stateOverrides?: Readonly<Record<Address, object>>;
}

/** An endpoint that is asked as if the assumed contract were on the chain. */
export class AssumingEndpoint extends JsonRpcEndpoint {
  constructor(
    private readonly assumed: AssumedContract,
    ...rest: ConstructorParameters<typeof JsonRpcEndpoint>
  ) {
    super(...rest);
  }

  override async call(request: RpcRequest, deadlineMs: number): Promise<RpcAnswer> {
    return this.assumed.answerOf(request, await super.call(this.assumed.assuming(request), deadlineMs));
  }

  override async batch(requests: readonly RpcRequest[], deadlineMs: number): Promise<RpcAnswer[]> {
    const answers = await super.batch(this.#assuming(requests), deadlineMs);
    return answers.map((answer, index) => this.#told(requests[index], answer));
  }

  override async each(
    requests: readonly RpcRequest[],
    deadlineMs: number,
  ): Promise<(RpcAnswer | RpcError)[]> {
    const answers = await super.each(this.#assuming(requests), deadlineMs);
    return answers.map((answer, index) =>
      answer instanceof Error ? answer : this.#told(requests[index], answer),
    );
  }

  #assuming(requests: readonly RpcRequest[]): RpcRequest[] {
    return requests.map((request) => this.assumed.assuming(request));
  }

  #told(request: RpcRequest | undefined, answer: RpcAnswer): RpcAnswer {
    return request ? this.assumed.answerOf(request, answer) : answer;
  }
}
