import type { Clock } from '../../domain/clock.js';
import { messageOf } from '../../domain/errors.js';
import type { Events } from '../../domain/events/events.js';
import type { Address } from '../../domain/hex.js';
import { matchesFilter, parseLogs, type RawLog, type TopicFilter } from '../chain/chain-answers.js';
import { AdaptiveSize } from '../endpoints/adaptive-size.js';
import { hexQuantity } from '../quantities.js';
import type { HypersyncClient, HypersyncField, HypersyncLog } from './hypersync-client.js';
import type { BlockRange, FoundLogs, LogHistory } from './log-history.js';

/** Blocks in a range. It is not refused for its length: so a range is what may be lost by a kill. */
const SPAN = { first: 1_000_000, largest: 4_000_000, patience: 8 } as const;
/** The newest blocks may still be replaced. A node is asked for them. */
const LEFT_TO_NODES = 64;
/** It is not asked for so long after a failure, and after it gave no block of a range. */
const PAUSE_MS = 60_000;
/** No answer is too large for it, but one that never ends. */
const MOST_PAGES = 100_000;

const FIELDS: readonly HypersyncField[] = [
  ...(['Address', 'Data', 'Topic0', 'Topic1', 'Topic2', 'Topic3'] as const),
  ...(['BlockNumber', 'BlockHash', 'LogIndex', 'TransactionHash'] as const),
];

/**
 * Old logs from Envio HyperSync. Its logs are checked as those of a node are. It is believed no more than a
 * node that has pruned logs: the sums of all debts show whether a borrower is missing.
 */
export class HypersyncHistory implements LogHistory {
  private size = new AdaptiveSize(SPAN);
  private pausedUntilMs = Number.NEGATIVE_INFINITY;
  private known: Promise<void> | undefined;

  constructor(
    private readonly client: HypersyncClient,
    private readonly chainId: number,
    private readonly events: Events,
    private readonly clock: Clock,
  ) {}

  span(): AdaptiveSize | undefined {
    return this.clock.monotonicMs() < this.pausedUntilMs ? undefined : this.size;
  }

  distrust(reason: string): void {
    if (this.pausedUntilMs === Number.POSITIVE_INFINITY) return;
    this.pausedUntilMs = Number.POSITIVE_INFINITY;
    this.events.emit({ event: 'history-distrusted', reason });
  }

  async read(
    range: BlockRange,
    addresses: readonly Address[],
    topics: TopicFilter,
  ): Promise<FoundLogs | undefined> {
    if (!this.span()) return undefined;
    try {
      await this.checkChain();
      const found = await this.pages(range, addresses, topics);
      // It would say the same of the ranges after this one.
      if (found.upTo < range.fromBlock) this.pause();
      return { ...found, upTo: Math.max(found.upTo, range.fromBlock - 1) };
    } catch (error) {
      this.fail(range, reasonOf(error));
      return undefined;
    }
  }

  private async pages(
    { fromBlock, toBlock }: BlockRange,
    addresses: readonly Address[],
    topics: TopicFilter,
  ): Promise<FoundLogs> {
    const logs: RawLog[] = [];
    let next = fromBlock;
    for (let page = 0; next <= toBlock; page++) {
      if (page === MOST_PAGES) throw new TypeError('its answer does not end');
      const { archiveHeight, nextBlock, data } = await this.client.get({
        fromBlock: next,
        toBlock: toBlock + 1,
        logs: [{ ...(addresses.length > 0 && { address: [...addresses] }), topics: topicsOf(topics) }],
        fieldSelection: { log: [...FIELDS] },
        joinMode: 2,
      });
      const asked = { fromBlock: next, toBlock };
      const found = parseLogs(data.logs.map(rawOf), asked, addresses);
      if (!found.every((log) => matchesFilter(log, asked, addresses, topics)))
        throw new TypeError('a log has topics that were not asked for');
      const settled = archiveHeight === undefined ? toBlock : archiveHeight - LEFT_TO_NODES;
      const upTo = Math.min(nextBlock - 1, toBlock, settled);
      for (const log of found) if (log.blockNumber <= upTo) logs.push(log);
      if (upTo === settled && archiveHeight !== undefined && archiveHeight < toBlock)
        this.tell({ fromBlock: upTo + 1, toBlock }, `it is at block ${archiveHeight}`);
      if (upTo === settled) return { logs, upTo };
      if (upTo < next) throw new TypeError('it does not get on');
      next = upTo + 1;
    }
    return { logs, upTo: toBlock };
  }

  private async checkChain(): Promise<void> {
    this.known ??= this.client.getChainId().then((id) => {
      if (id !== this.chainId) throw new TypeError(`it is of chain ${id}`);
    });
    try {
      await this.known;
    } catch (error) {
      this.known = undefined;
      throw error;
    }
  }

  private fail(range: BlockRange, reason: string): void {
    // Of several that were on their way, the first is enough.
    if (!this.span()) return;
    this.pause();
    this.tell(range, reason);
  }

  private pause(): void {
    this.pausedUntilMs = Math.max(this.pausedUntilMs, this.clock.monotonicMs() + PAUSE_MS);
    this.size = new AdaptiveSize(SPAN);
  }

  private tell({ fromBlock, toBlock }: BlockRange, reason: string): void {
    this.events.emit({ event: 'history-left-to-nodes', fromBlock, toBlock, reason });
  }
}

/** The client knows no null: an empty list stands for any topic. */
function topicsOf(topics: TopicFilter): string[][] {
  return topics.map((topic) => (topic === null ? [] : typeof topic === 'string' ? [topic] : [...topic]));
}

/** As a node gives a log. */
function rawOf({ topics, blockNumber, logIndex, ...log }: HypersyncLog): unknown {
  return {
    ...log,
    topics: topics.filter((topic) => topic !== null && topic !== undefined),
    blockNumber: quantityOf(blockNumber),
    logIndex: quantityOf(logIndex),
  };
}

function quantityOf(number: number | undefined): string | undefined {
  return number !== undefined && Number.isSafeInteger(number) && number >= 0
    ? hexQuantity(number)
    : undefined;
}

/** In words of our own: those of the client hold the address of the server, and the place in its code. */
function reasonOf(error: unknown): string {
  if (error instanceof TypeError || error instanceof RangeError) return error.message;
  const status = /status code (\d{3})/.exec(messageOf(error))?.[1];
  return status === undefined
    ? 'it does not answer, or not as expected'
    : `it answers with the status ${status}`;
}
