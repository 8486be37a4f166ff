import type { EndpointRole } from '../endpoint-role.js';

/** Why an endpoint did not serve a request, in one word; `ok` when it did. */
export type RpcResult =
  'ok' | 'refused' | 'rate-limit' | 'provider' | 'timeout' | 'bad-answer' | 'out-of-sync' | 'batch-refused';

/**
 * How the heads and logs of the chain arrive. Endpoints are named by their role. A `reason` holds no address
 * of an endpoint and no part of one.
 */
export type RpcEvent =
  | {
      /** One request over HTTP came to its end. It is counted, and not logged. */
      readonly event: 'rpc-request';
      readonly endpoint: EndpointRole;
      /** Of each of its calls. */
      readonly methods: readonly string[];
      readonly result: RpcResult;
      readonly tookMs: number;
    }
  | {
      /** No WebSocket has given a head for `silentMs`. From now on the latest block is polled over HTTP. */
      readonly event: 'heads-silent';
      readonly silentMs: number;
    }
  | {
      /**
       * The configured source of old logs does not give the logs of these blocks, so a node is asked for
       * them. After a failure the source is not asked for a minute.
       */
      readonly event: 'history-left-to-nodes';
      readonly fromBlock: number;
      readonly toBlock: number;
      readonly reason: string;
    }
  | {
      /** The configured source of old logs left some out. Until the next start only nodes are asked. */
      readonly event: 'history-distrusted';
      readonly reason: string;
    }
  | {
      /** A WebSocket gives heads again, and polling over HTTP ends. */
      readonly event: 'heads-resumed';
    }
  | {
      /** Polling for the latest block over HTTP fails. Emitted once, until a poll succeeds again. */
      readonly event: 'head-poll-failed';
      readonly reason: string;
    }
  | {
      /**
       * A head does not link to the blocks that are known, so it is ignored (F41). Emitted at most once a
       * minute for each endpoint.
       */
      readonly event: 'head-not-believed';
      /** Undefined for a head that was asked for over HTTP. */
      readonly endpoint: EndpointRole | undefined;
      readonly block: number;
      readonly known: number;
    }
  | {
      /**
       * An endpoint delivered a log that its block does not hold. The logs that only this endpoint delivers
       * do not count for ten minutes (F44).
       */
      readonly event: 'logs-not-believed';
      readonly endpoint: EndpointRole;
      readonly block: number;
    }
  | {
      /** The code that receives the heads failed for this one. The next head is given to it all the same. */
      readonly event: 'head-handler-failed';
      readonly block: number;
      readonly reason: string;
    }
  | {
      /** A WebSocket is given up and opened again. Emitted once, until it gives a head again. */
      readonly event: 'websocket-lost';
      readonly endpoint: EndpointRole;
      readonly reason: string;
    }
  | {
      /** A WebSocket that was lost gives heads again. */
      readonly event: 'websocket-restored';
      readonly endpoint: EndpointRole;
    }
  | {
      /**
       * An endpoint sent something that is not what it should be. For logs this is emitted once per endpoint.
       */
      readonly event: 'websocket-message-ignored';
      readonly endpoint: EndpointRole;
      readonly message: 'frame' | 'head' | 'log';
      readonly reason: string;
    }
  | {
      /** An endpoint gives heads but no logs. Emitted once, until it accepts a subscription again. */
      readonly event: 'log-subscription-refused';
      readonly endpoint: EndpointRole;
    };
