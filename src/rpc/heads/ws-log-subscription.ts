import type { EndpointRole } from '../../domain/endpoint-role.js';
import { messageOf } from '../../domain/errors.js';
import type { Events } from '../../domain/events/events.js';
import type { Address } from '../../domain/hex.js';
import { parseLog, type RawLog } from '../chain/chain-answers.js';
import { toObject } from '../quantities.js';

export interface WsLogSubscriptionOptions {
  /** Of the endpoint that the connection leads to. */
  readonly role: EndpointRole;
  readonly events: Events;
  readonly onLog: (log: RawLog) => void;
  /** A reorg took this log's block out of the chain. */
  readonly onRemovedLog: (log: RawLog) => void;
}

/**
 * The subscription to the logs of some addresses, over the WebSocket of a WsHeadSource. The WsHeadSource
 * reports when the connection opens and closes, and passes its messages on. When the addresses change, the
 * old subscription ends only after the new one is confirmed, so that no log is lost in between. A node that
 * refuses logs still gives heads.
 */
export class WsLogSubscription {
  #addresses: readonly Address[] = [];
  #wanted: ReadonlySet<Address> = new Set();
  #open = false;
  #subscription: string | undefined;
  /** Requests for a subscription without an answer yet. Only the last of them is wanted. */
  readonly #asked = new Set<number>();
  #lastAsked: number | undefined;
  #refused = false;
  #malformed = false;

  /**
   * @param send sends a request over the connection and returns its id, which is never used again.
   */
  constructor(
    private readonly send: (method: string, params: readonly unknown[]) => number,
    private readonly options: WsLogSubscriptionOptions,
  ) {}

  /** Asks for the logs of these addresses from now on. No address means no logs. */
  listenTo(addresses: readonly Address[]): void {
    this.#addresses = [...addresses];
    this.#wanted = new Set(addresses);
    if (this.#open) this.#subscribe();
  }

  opened(): void {
    this.#open = true;
    if (this.#addresses.length > 0) this.#subscribe();
  }

  closed(): void {
    this.#open = false;
    this.#subscription = undefined;
    this.#asked.clear();
    this.#lastAsked = undefined;
  }

  /** Takes an answer to a request over this connection. */
  answered(id: unknown, result: unknown): void {
    if (typeof id !== 'number' || !this.#asked.delete(id)) return;
    if (typeof result !== 'string') {
      const { role, events } = this.options;
      if (!this.#refused) events.emit({ event: 'log-subscription-refused', endpoint: role });
      this.#refused = true;
    } else if (id === this.#lastAsked) {
      this.#refused = false;
      this.#replaceBy(result);
    } else this.send('eth_unsubscribe', [result]);
  }

  /** Takes what a subscription of this connection sent. */
  pushed(subscription: string, result: unknown): void {
    if (subscription !== this.#subscription) return;
    try {
      const raw = toObject(result);
      const log = parseLog({ ...raw, removed: false });
      if (!this.#wanted.has(log.address)) return;
      if (raw['removed'] === true) this.options.onRemovedLog(log);
      else this.options.onLog(log);
    } catch (error) {
      if (!this.#malformed) this.#ignored(messageOf(error));
      this.#malformed = true;
    }
  }

  #ignored(reason: string): void {
    const { role, events } = this.options;
    events.emit({ event: 'websocket-message-ignored', endpoint: role, message: 'log', reason });
  }

  #subscribe(): void {
    this.#lastAsked = undefined;
    if (this.#addresses.length === 0) {
      this.#replaceBy(undefined);
      return;
    }
    this.#lastAsked = this.send('eth_subscribe', ['logs', { address: this.#addresses }]);
    this.#asked.add(this.#lastAsked);
  }

  #replaceBy(subscription: string | undefined): void {
    if (this.#subscription !== undefined) this.send('eth_unsubscribe', [this.#subscription]);
    this.#subscription = subscription;
  }
}
