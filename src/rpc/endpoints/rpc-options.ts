import { chainDescription } from '../../domain/chain-description.js';
import type { EventNamed } from '../../domain/events/events.js';
import type { Secret } from '../../domain/secret.js';

/** Is told of each request over HTTP that came to its end. */
export type RequestObserver = (request: Omit<EventNamed<'rpc-request'>, 'event'>) => void;

export interface EndpointUrls {
  readonly http: Secret;
  readonly ws?: Secret | undefined;
}

export interface RpcOptions {
  readonly chainId: number;
  readonly primary: EndpointUrls;
  /** It serves when the primary does not. */
  readonly backup?: EndpointUrls | undefined;
  /** It serves long log ranges only. */
  readonly archive?: EndpointUrls | undefined;
  readonly timings?: Partial<RpcTimings> | undefined;
  readonly onRequest?: RequestObserver | undefined;
}

export interface RpcTimings {
  /** For one call through the pool, over all endpoints, in milliseconds. */
  readonly deadlineMs: number;
  /** For a probe of an endpoint, in milliseconds. */
  readonly probeDeadlineMs: number;
  /** For a probe at the start, which also needs name look-up, TCP and TLS, in milliseconds. */
  readonly checkDeadlineMs: number;
  /** From one probe to the next while calls are made, in milliseconds. */
  readonly probeIntervalMs: number;
  /** Failures in a row that open the circuit of an endpoint. */
  readonly failuresToOpen: number;
  /** How long an open circuit rests before the endpoint is probed again, in milliseconds. */
  readonly openMs: number;
  /** An endpoint that is more blocks behind the best one counts as out of sync. */
  readonly maxHeadLagBlocks: number;
  /** The wait before endpoints that do not have a block yet are asked again, in milliseconds. */
  readonly outOfSyncPauseMs: number;
}

const DEFAULT_TIMINGS: Omit<RpcTimings, 'maxHeadLagBlocks'> = {
  deadlineMs: 2_000, // fault F01: the backup has answered within 2 s
  probeDeadlineMs: 1_000,
  checkDeadlineMs: 5_000,
  probeIntervalMs: 5_000,
  failuresToOpen: 3,
  openMs: 5_000,
  outOfSyncPauseMs: 60, // all nodes behind one URL have a block some tens of milliseconds after the first
};

/** How far an endpoint may be behind the best one: the blocks that the chain makes in 3 s, … */
const MAX_HEAD_LAG_MS = 3_000;
/**
 * … but no fewer than 15. Endpoints are not asked at the same moment, and the nodes behind one URL are not
 * equally far.
 */
const LEAST_HEAD_LAG_BLOCKS = 15;

/** The times of a chain, with what the options change. */
export function timingsOf({ chainId, timings }: Pick<RpcOptions, 'chainId' | 'timings'>): RpcTimings {
  const { blockTimeMs } = chainDescription(chainId);
  const maxHeadLagBlocks = Math.max(LEAST_HEAD_LAG_BLOCKS, Math.ceil(MAX_HEAD_LAG_MS / blockTimeMs));
  return { ...DEFAULT_TIMINGS, maxHeadLagBlocks, ...timings };
}
