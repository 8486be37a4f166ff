import { id } from 'ethers';
import type { Block } from '../domain/block.js';
import { addressAt, timeAt, uintAt, type Address, type Hash, type Hex } from '../domain/hex.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../rpc/chain/logs-bloom.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, together, type Read } from '../rpc/chain/read.js';
import type { BlockStep, Followed } from '../state/followed.js';
import { answerOf, latestRoundRead, type Round } from './chainlink.js';
import { isDualRead } from './feed-natures.js';
import { KeptPrice } from './kept-price.js';
import type { PriceGuard, Prices } from './price-guard.js';

const AGGREGATOR = id('aggregator()').slice(0, 10) as Hex;
/**
 * AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt) of a Chainlink
 * aggregator.
 */
const ANSWER_UPDATED = id('AnswerUpdated(int256,uint256,uint256)') as Hex;
/**
 * AggregatorConfirmed(address indexed previous, address indexed latest) of a Chainlink proxy. Old proxies do
 * not emit it.
 */
const AGGREGATOR_CONFIRMED = id('AggregatorConfirmed(address,address)') as Hex;

/** A feed whose answers are known from the logs of its aggregator. */
interface FollowedFeed {
  readonly aggregator: Address;
  /** The last one by its logs. Undefined when that answer is zero or negative. */
  readonly round: Round | undefined;
  /** Its aggregator tells a round before the market gets it (SVR). */
  readonly isDual: boolean;
  /** The market does not get the last round yet: what it gets is read by a call. */
  readonly isHeldBack: boolean;
}

/**
 * What is known of feeds at a block; undefined for a feed whose price has to be read. The map is replaced,
 * never changed.
 */
export type Feeds = ReadonlyMap<Address, FollowedFeed | undefined>;

interface FeedStep extends BlockStep {
  readonly logs: readonly RawLog[];
  readonly found: Feeds;
}

/** What was asked at a head. */
interface FeedAnswers {
  /** Of the native token; undefined where its logs tell it. */
  readonly native: Round | undefined;
  /** What the market gets now of each feed that was held back. */
  readonly heldBack: ReadonlyMap<Address, Round | undefined>;
}

/** The price of the native token, for gas, fees and bids. */
export interface FeedView {
  /** The last good one while the feed gives no positive price; undefined when there is none. */
  readonly native: Round | undefined;
  /** Whether the feed gave none at this block, so that it is the last good one. */
  readonly nativeKept: boolean;
  /** Whether as many endpoints said it as must agree about plans. */
  readonly nativeConfirmed: boolean;
  /** Whether it moved more than the price guard allows since the block before. */
  readonly nativeJumped: boolean;
}

/**
 * Price feeds whose rounds are known from logs, so that no call is needed for their price. They are proxies
 * of an aggregator that emits AnswerUpdated. An adapter that computes its answer, for example a capped ratio,
 * is not one of them: its price is read by a call.
 *
 * The aggregator of an SVR feed logs a round some time before the market gets it. From the log on, its price
 * is read by a call, until the market has that round.
 *
 * A proxy may get another aggregator without a log, and an aggregator may answer something else than its logs
 * say. So the code that uses the rounds must compare them with the chain from time to time. When they differ,
 * it calls {@link distrust}.
 */
export class FeedBook implements Followed<FeedView, FeedStep, Feeds, FeedAnswers> {
  readonly name = 'price-feeds';
  private feeds: Feeds = new Map();
  private readonly distrusted = new Set<Address>();
  /** To be distrusted from the next reads on: what is being read now does not ask for them. */
  private readonly doubted = new Set<Address>();
  /** The last answer to {@link reads}. */
  private asked: Round | undefined;
  /** Whether the price of the native token jumped in the last block. */
  private jumped = false;
  private readonly kept = new KeptPrice();

  /** @param nativeUsdFeed of the chain's native token in USD. */
  constructor(
    private readonly chain: Chain,
    readonly nativeUsdFeed: Address,
    private readonly guard: PriceGuard,
  ) {}

  get watched(): WatchedLogs {
    const followed = [...this.feeds].flatMap(([feed, known]) =>
      known ? ([[feed, known.aggregator]] as const) : [],
    );
    return new Map<Address, readonly Hash[]>([
      ...followed.map(([feed]) => [feed, [AGGREGATOR_CONFIRMED]] as const),
      ...followed.map(([, aggregator]) => [aggregator, [ANSWER_UPDATED]] as const),
    ]);
  }

  /** The feed's last round; undefined for a feed whose price has to be read. */
  roundOf(feed: Address): Round | undefined {
    const known = this.feeds.get(feed);
    return this.distrusted.has(feed) || known?.isHeldBack ? undefined : known?.round;
  }

  /** The aggregator behind a feed whose logs are followed; undefined for any other feed. */
  aggregatorOf(feed: Address): Address | undefined {
    return this.feeds.get(feed)?.aggregator;
  }

  /**
   * Reads the feeds that are not known yet, at a block. The result is for {@link add}.
   *
   * @throws RetryError
   */
  async findUnknown(feeds: Iterable<Address>, block: Hash): Promise<Feeds> {
    return this.find(
      [...new Set(feeds)].filter((feed) => !this.feeds.has(feed)),
      block,
    );
  }

  /** Follows these feeds from now on. Call it in the commit of something that is undone before this book. */
  add(found: Feeds): void {
    if (found.size > 0) this.feeds = new Map([...this.feeds, ...found]);
  }

  /** The feed's answer differs from its logs: from the next head on its price is read by a call. */
  distrust(feed: Address): void {
    this.doubted.add(feed);
  }

  /** As many endpoints as must agree about plans said this price of the native token. */
  confirmNative(round: Round): void {
    this.kept.confirm(round);
  }

  check({ address, topics, data }: RawLog): void {
    const [topic, current] = topics;
    if (topic !== ANSWER_UPDATED) return;
    const read = [...this.feeds.values()].some((followed) => followed?.aggregator === address);
    if (read) updatedRound(current ?? '0x', data);
  }

  async prepare(block: Block, logs: readonly RawLog[]): Promise<FeedStep> {
    const redirected = logs.flatMap(({ address, topics }) =>
      topics[0] === AGGREGATOR_CONFIRMED && this.feeds.get(address) ? [address] : [],
    );
    const found = await this.find(redirected, block.hash);
    const duals = new Set(
      [...this.feeds.values()].flatMap((known) => (known?.isDual ? known.aggregator : [])),
    );
    const holdsBack = logs.some(({ address, topics }) => duals.has(address) && topics[0] === ANSWER_UPDATED);
    return { logs, found, readsChange: redirected.length > 0 || holdsBack, contradicted: [] };
  }

  commit({ logs, found }: FeedStep): Feeds {
    const before = this.feeds;
    this.kept.applied();
    const native = this.roundOf(this.nativeUsdFeed);
    this.applyLogs(logs);
    this.add(found);
    this.jumped = this.hasJumped(native, this.roundOf(this.nativeUsdFeed));
    return before;
  }

  undo(before: Feeds): void {
    this.feeds = before;
    this.jumped = false;
    this.kept.takenBack();
  }

  async prepareRange({ hash }: Block): Promise<FeedStep> {
    const found = await this.find([...new Set([...this.feeds.keys(), this.nativeUsdFeed])], hash);
    return { logs: [], found, readsChange: true, contradicted: [] };
  }

  commitRange(step: FeedStep): void {
    this.commit(step);
    this.jumped = false;
  }

  /** Call it before the reads of what uses these feeds. */
  reads(): Read<FeedAnswers> {
    for (const feed of this.doubted) this.distrusted.add(feed);
    this.doubted.clear();
    const heldBack = [...this.feeds].flatMap(([feed, known]) => (known?.isHeldBack ? [feed] : []));
    const isNativeKnown = this.roundOf(this.nativeUsdFeed) !== undefined;
    const native = each(isNativeKnown ? [] : [latestRoundRead(this.nativeUsdFeed)]);
    const both = together(native, each(heldBack.map(latestRoundRead)));
    return {
      calls: both.calls,
      decode: (results) => {
        const [[asked], rounds] = both.decode(results);
        return { native: asked, heldBack: new Map(heldBack.map((feed, index) => [feed, rounds[index]])) };
      },
    };
  }

  view({ native: asked, heldBack }: FeedAnswers): FeedView {
    this.release(heldBack);
    const given = this.roundOf(this.nativeUsdFeed) ?? asked;
    if (asked && asked !== this.asked) {
      this.jumped = this.hasJumped(this.asked, asked);
      this.asked = asked;
    }
    if (!given) {
      const { round } = this.kept;
      return { native: round, nativeKept: round !== undefined, nativeConfirmed: true, nativeJumped: false };
    }
    const nativeConfirmed = this.kept.isGood(given);
    return { native: given, nativeKept: false, nativeConfirmed, nativeJumped: this.jumped };
  }

  /** The logs tell the prices again of those whose last round the market has. */
  private release(heldBack: FeedAnswers['heldBack']): void {
    for (const [feed, round] of heldBack) {
      const known = this.feeds.get(feed);
      if (known?.isHeldBack && isSame(known.round, round))
        this.add(new Map([[feed, { ...known, isHeldBack: false }]]));
    }
  }

  private hasJumped(before: Round | undefined, after: Round | undefined): boolean {
    if (!before || !after) return false;
    const priceOf = ({ answer }: Round): Prices => new Map([[this.nativeUsdFeed, answer]]);
    return this.guard.jumped(priceOf(before), priceOf(after)).size > 0;
  }

  private applyLogs(logs: readonly RawLog[]): void {
    let feeds: Map<Address, FollowedFeed | undefined> | undefined;
    for (const { address, topics, data } of logs) {
      const [topic, current] = topics;
      if (topic !== ANSWER_UPDATED || current === undefined) continue;
      const round = updatedRound(current, data);
      for (const [feed, followed] of this.feeds) {
        if (followed?.aggregator !== address) continue;
        feeds ??= new Map(this.feeds);
        feeds.set(feed, { ...followed, round, isHeldBack: followed.isDual });
      }
    }
    if (feeds) this.feeds = feeds;
  }

  private async find(feeds: readonly Address[], block: Hash): Promise<Feeds> {
    const found = await readAt(this.chain, each(feeds.map(shownRead)), block);
    const aggregators = [...new Set(found.flatMap((shown) => shown?.aggregator ?? []))];
    const told = await readAt(this.chain, each(aggregators.map(toldByAggregator)), block);
    const toldOf = new Map(aggregators.map((aggregator, index) => [aggregator, told[index]]));
    return new Map(
      feeds.map((feed, index) => {
        const shown = found[index];
        return [feed, shown && followedBy(shown, toldOf.get(shown.aggregator))];
      }),
    );
  }
}

/** What a feed gives to its callers, and the aggregator behind it. */
interface Shown {
  readonly aggregator: Address;
  readonly round: Round;
}

/** The last round of an aggregator, which a market may get later; undefined for one that holds none back. */
type Told = { readonly newest: Round | undefined } | undefined;

function followedBy({ aggregator, round }: Shown, dual: Told): FollowedFeed {
  if (!dual) return { aggregator, round, isDual: false, isHeldBack: false };
  const { newest } = dual;
  return { aggregator, round: newest, isDual: true, isHeldBack: !isSame(newest, round) };
}

function isSame(one: Round | undefined, other: Round | undefined): boolean {
  return one?.answer === other?.answer && one?.updatedAt === other?.updatedAt;
}

/** A caller that is not the proxy of the market gets the newest round (DualAggregator.latestRoundData). */
function toldByAggregator(aggregator: Address): Read<Told> {
  const both = together(isDualRead(aggregator), latestRoundRead(aggregator));
  return {
    calls: both.calls,
    decode: (results) => {
      const [isDual, newest] = both.decode(results);
      return isDual ? { newest } : undefined;
    },
  };
}

/** @throws RangeError when the log is too short, or holds a number that is out of its range. */
function updatedRound(current: Hex, data: Hex): Round | undefined {
  const answer = answerOf(uintAt(current, 0));
  return answer === undefined ? undefined : { answer, updatedAt: timeAt(data, 0) };
}

function shownRead(feed: Address): Read<Shown | undefined> {
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
