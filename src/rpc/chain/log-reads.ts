import type { Block } from '../../domain/block.js';
import type { EndpointRole } from '../../domain/endpoint-role.js';
import type { Address } from '../../domain/hex.js';
import { AdaptiveSize, type SizeLimits } from '../endpoints/adaptive-size.js';
import type { BatchOptions, EachOptions, EndpointAnswer, RpcCall } from '../endpoints/rpc-call.js';
import type { RpcPool } from '../endpoints/rpc-pool.js';
import type { LogHistory } from '../history/log-history.js';
import { hexQuantity } from '../quantities.js';
import { LogRangeTooLarge, RpcAnswerError, TooManyAddresses } from '../rpc-errors.js';
import {
  inOrder,
  matchesFilter,
  mustHold,
  parseBlockAsked,
  parseLogs,
  type LogRange,
  type RawLog,
  type TopicFilter,
} from './chain-answers.js';

/** `archive` only has an effect for a range of block numbers. */
export interface LogOptions extends BatchOptions {
  /**
   * Logs that are known to exist. An answer that lacks one of them, when the filter matches it, is rejected
   * and the next endpoint is asked. They must be of blocks that are still in the chain: no endpoint answers a
   * range of block numbers with the logs of a block that was replaced.
   */
  readonly mustHold?: readonly RawLog[];
  /** Looks at each log. It throws when one is malformed: then the next endpoint is asked. */
  readonly check?: (log: RawLog) => void;
}

/** Blocks in a range of logs. Providers serve 10 to 10,000 of them, or any number with few logs. */
const LOG_SPAN = { first: 10_000, largest: 200_000, patience: 8 } as const;
/** Addresses in one question for logs: nodes take 1,000, others 20 or fewer. */
const ADDRESSES = { first: 1_000, largest: 1_000, patience: 512 } as const;

/** Questions for logs, as large as the endpoints serve them. */
export class LogReads {
  private readonly spans = new Map<EndpointRole, AdaptiveSize>();
  private readonly addressCounts = new Map<EndpointRole, AdaptiveSize>();

  /** @param history is asked first for what only an archive has. */
  constructor(
    private readonly pool: RpcPool,
    private readonly history?: LogHistory,
  ) {}

  /** What `Chain.getLogs` does. */
  async read(
    range: LogRange,
    addresses: readonly Address[],
    topics: TopicFilter,
    options?: LogOptions,
  ): Promise<RawLog[]> {
    if (!this.history?.span() || options?.archive !== true || 'blockHash' in range)
      return this.ofNode(range, addresses, topics, options);
    const found = await this.history.read(range, addresses, topics);
    const fromBlock = found ? found.upTo + 1 : range.fromBlock;
    const { toBlock } = range;
    const length = toBlock - fromBlock + 1;
    const { size } = this.spanOfNode(options);
    // The range was cut for the history. A node is not asked for what it is known not to serve.
    if (length > size) {
      const given = fromBlock - range.fromBlock;
      throw new LogRangeTooLarge(0, 'the rest is left to a node', given > 0 ? given : size);
    }
    const rest = length > 0 ? await this.ofNode({ fromBlock, toBlock }, addresses, topics, options) : [];
    return [...(found?.logs ?? []), ...rest];
  }

  private async ofNode(
    range: LogRange,
    addresses: readonly Address[],
    topics: TopicFilter,
    options?: LogOptions,
  ): Promise<RawLog[]> {
    const most = learned(this.addressCounts, this.pool.firstFor(options), ADDRESSES);
    const count = most.next(Math.max(1, addresses.length));
    try {
      const parts: Promise<RawLog[]>[] = [];
      for (let from = 0; from === 0 || from < addresses.length; from += count)
        parts.push(this.part(range, addresses.slice(from, from + count), topics, options));
      const logs = (await Promise.all(parts)).flat();
      most.served(count);
      return parts.length === 1 ? logs : inOrder(logs);
    } catch (error) {
      if (!(error instanceof TooManyAddresses) || count === 1) throw error;
      most.refused(count);
      return this.ofNode(range, addresses, topics, options);
    }
  }

  private part(
    range: LogRange,
    addresses: readonly Address[],
    topics: TopicFilter,
    options?: LogOptions,
  ): Promise<RawLog[]> {
    const filter = logFilter(range, addresses, topics);
    const known = (options?.mustHold ?? []).filter((log) => matchesFilter(log, range, addresses, topics));
    const parse = (raw: unknown): RawLog[] => {
      const logs = parseLogs(raw, range, addresses);
      mustHold(logs, known);
      if (options?.check) logs.forEach(options.check);
      return logs;
    };
    const logs: RpcCall<RawLog[]> = { method: 'eth_getLogs', params: [filter], parse };
    if ('blockHash' in range) return this.pool.call(logs.method, logs.params, logs.parse, options);
    // A node that does not have the whole range answers with what it has, without an error. So the last block
    // is asked for too.
    const last: RpcCall<Block> = {
      method: 'eth_getBlockByNumber',
      params: [hexQuantity(range.toBlock), false],
      parse: (raw) => parseBlockAsked(raw, range.toBlock, this.pool.headers),
    };
    const large = range.toBlock > range.fromBlock;
    return this.pool.batchAs([logs, last], ([found]) => answerOf(found), { ...options, large });
  }

  /** What `Chain.logsEverywhere` does. */
  everywhere(
    range: LogRange,
    addresses: readonly Address[],
    options?: EachOptions,
  ): Promise<EndpointAnswer<RawLog[]>[]> {
    const params = [logFilter(range, addresses, [])];
    const parse = (raw: unknown): RawLog[] => parseLogs(raw, range, addresses);
    return this.pool.askEach({ method: 'eth_getLogs', params, parse }, options);
  }

  /** What `Chain.logSpan` does. */
  span(options?: Pick<BatchOptions, 'archive'>): AdaptiveSize {
    return (options?.archive === true && this.history?.span()) || this.spanOfNode(options);
  }

  private spanOfNode(options?: Pick<BatchOptions, 'archive'>): AdaptiveSize {
    return learned(this.spans, this.pool.firstFor(options), LOG_SPAN);
  }
}

function learned(
  sizes: Map<EndpointRole, AdaptiveSize>,
  role: EndpointRole,
  limits: SizeLimits,
): AdaptiveSize {
  const size = sizes.get(role) ?? new AdaptiveSize(limits);
  sizes.set(role, size);
  return size;
}

function logFilter(range: LogRange, addresses: readonly Address[], topics: TopicFilter): object {
  const blocks =
    'blockHash' in range
      ? { blockHash: range.blockHash }
      : { fromBlock: hexQuantity(range.fromBlock), toBlock: hexQuantity(range.toBlock) };
  return { ...blocks, ...(addresses.length > 0 && { address: addresses }), topics };
}

/** @throws RpcAnswerError when the node refused. */
function answerOf<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw answer;
  return answer;
}
