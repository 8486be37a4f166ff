import { id } from 'ethers';
import { addressAt, uintAt, type Address, type Hash, type Hex } from '../domain/hex.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, together, type Read } from '../rpc/chain/read.js';
import { answerOf, latestRoundRead, type Round } from './chainlink.js';

const AGGREGATOR = id('aggregator()').slice(0, 10) as Hex;
/** AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt) of a Chainlink aggregator. */
const ANSWER_UPDATED = id('AnswerUpdated(int256,uint256,uint256)') as Hex;
/** AggregatorConfirmed(address indexed previous, address indexed latest) of a Chainlink proxy; old proxies do not say it. */
const AGGREGATOR_CONFIRMED = id('AggregatorConfirmed(address,address)') as Hex;

/** A feed whose answer its aggregator's logs tell. */
export interface FollowedFeed {
  readonly aggregator: Address;
  /** Undefined after an answer that is no price. */
  readonly round: Round | undefined;
}

/** What is known of feeds at a block: a value that is replaced, never changed, so that an older block's can be had back. */
export type Feeds = ReadonlyMap<Address, FollowedFeed | undefined>;

/**
 * Feeds whose rounds are known from logs, so that their price needs no call: proxies of an aggregator that says
 * AnswerUpdated. An adapter that computes its answer (a capped ratio, for instance) is none of them.
 *
 * A proxy may be given another aggregator without a word, and an aggregator may answer otherwise than its logs say: whoever uses
 * the rounds compares them with the chain every now and then, and tells {@link distrust}.
 */
export class FeedBook {
  private feeds: Feeds = new Map();
  private readonly distrusted = new Set<Address>();

  constructor(private readonly chain: Chain) {}

  /** Everything at the last block whose logs were applied, to go back to with {@link restore}. */
  get current(): Feeds {
    return this.feeds;
  }

  /** The feed's last round; undefined for one that has to be asked. */
  roundOf(feed: Address): Round | undefined {
    return this.distrusted.has(feed) ? undefined : this.feeds.get(feed)?.round;
  }

  /** The contracts whose logs count. */
  get watched(): Address[] {
    return [...this.feeds].flatMap(([feed, followed]) => (followed ? [feed, followed.aggregator] : []));
  }

  /** Those that are not known yet. */
  unknown(feeds: Iterable<Address>): Address[] {
    return [...new Set(feeds)].filter((feed) => !this.feeds.has(feed));
  }

  /** Those that were given another aggregator. */
  redirected(logs: readonly RawLog[]): Address[] {
    return logs.flatMap(({ address, topics }) =>
      topics[0] === AGGREGATOR_CONFIRMED && this.feeds.get(address) ? [address] : [],
    );
  }

  /** Feeds at a block, undefined for one that no log tells of. @throws RetryError when the chain could not be read. */
  async look(feeds: readonly Address[], block: Hash): Promise<Feeds> {
    const answers = await readAt(this.chain, each(feeds.map(followedRead)), block);
    return new Map(feeds.map((feed, index) => [feed, answers[index]]));
  }

  /** Takes in the logs of a block, and then the feeds that were looked at in it. */
  apply(logs: readonly RawLog[], looked: Feeds): void {
    let feeds: Map<Address, FollowedFeed | undefined> | undefined;
    for (const { address, topics, data } of logs) {
      const [topic, current] = topics;
      if (topic !== ANSWER_UPDATED || current === undefined) continue;
      const answer = answerOf(uintAt(current, 0));
      const round = answer === undefined ? undefined : { answer, updatedAt: Number(uintAt(data, 0)) };
      for (const [feed, followed] of this.feeds) {
        if (followed?.aggregator !== address) continue;
        feeds ??= new Map(this.feeds);
        feeds.set(feed, { aggregator: address, round });
      }
    }
    if (looked.size > 0) feeds = new Map([...(feeds ?? this.feeds), ...looked]);
    if (feeds) this.feeds = feeds;
  }

  /** Goes back to an older block. */
  restore(feeds: Feeds): void {
    this.feeds = feeds;
  }

  /** The feed does not answer what its logs say: from now on it has to be asked. */
  distrust(feed: Address): void {
    this.distrusted.add(feed);
  }
}

function followedRead(feed: Address): Read<FollowedFeed | undefined> {
  const aggregator: Read<Address | undefined> = {
    calls: [{ to: feed, data: AGGREGATOR }],
    decode: ([result]) =>
      result?.success && result.data.length === 66 ? addressAt(result.data, 0) : undefined,
  };
  const both = together(aggregator, latestRoundRead(feed));
  return {
    calls: both.calls,
    decode: (results) => {
      const [address, round] = both.decode(results);
      return address && round ? { aggregator: address, round } : undefined;
    },
  };
}
