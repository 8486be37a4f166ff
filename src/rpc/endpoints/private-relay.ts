import type { Clock } from '../../domain/clock.js';
import type { Secret } from '../../domain/secret.js';
import { outcomeOf, parseSent, type RawTransaction, type SendOutcome } from '../chain/send-transaction.js';
import { hexQuantity } from '../quantities.js';
import { RpcAnswerError, RpcError } from '../rpc-errors.js';
import { JsonRpcEndpoint } from './json-rpc-endpoint.js';
import { checked } from './rpc-call.js';

/** The methods by which relays take transactions. */
export const RELAY_METHODS = ['eth_sendRawTransaction', 'eth_sendPrivateTransaction'] as const;
export type RelayMethod = (typeof RELAY_METHODS)[number];

/** A header of each request. */
export interface RelayHeader {
  readonly name: string;
  readonly value: Secret;
}

export interface RelayOptions {
  readonly url: Secret;
  readonly headers: readonly RelayHeader[];
  readonly method: RelayMethod;
}

/** Nothing waits for a relay longer than this. Milliseconds. */
const DEADLINE_MS = 2_000;

/**
 * A relay that shows transactions to block builders alone. It is handed transactions, and is asked nothing:
 * it knows no more of the chain than the nodes do. No message holds a part of its address or of its headers.
 */
export class PrivateRelay {
  private readonly endpoint: JsonRpcEndpoint;
  private readonly method: RelayMethod;
  /** Until then it has asked for a pause. Monotonic milliseconds. */
  private pausedUntilMs = Number.NEGATIVE_INFINITY;

  /** @throws TypeError when the URL is not one of http or https. */
  constructor(
    { url, headers, method }: RelayOptions,
    private readonly clock: Clock,
    private readonly deadlineMs = DEADLINE_MS,
  ) {
    this.endpoint = new JsonRpcEndpoint('relay', url, clock, undefined, undefined, headers);
    this.method = method;
  }

  /** Hands one transaction over. @param lastBlock in which it may be included, where the relay is told. */
  async send({ raw, hash }: RawTransaction, lastBlock: number): Promise<SendOutcome> {
    const { method } = this;
    if (this.clock.monotonicMs() < this.pausedUntilMs)
      throw new RpcError('rate-limit', 'relay', 'it asked for a pause; nothing was sent');
    const params =
      method === 'eth_sendRawTransaction' ? [raw] : [{ tx: raw, maxBlockNumber: hexQuantity(lastBlock) }];
    try {
      const answer = await this.endpoint.call({ method, params }, this.deadlineMs);
      if ('error' in answer) return outcomeOf({ error: answer.error });
      checked('relay', method, () => parseSent(answer.result, hash));
      return outcomeOf({});
    } catch (error) {
      if (!(error instanceof RpcError) && !(error instanceof RpcAnswerError)) throw error;
      if (error instanceof RpcError && error.retryAfterMs !== undefined)
        this.pausedUntilMs = this.clock.monotonicMs() + error.retryAfterMs;
      return outcomeOf({ error });
    }
  }
}
