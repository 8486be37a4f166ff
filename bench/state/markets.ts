/** A block in which something happens in every market of a Morpho Blue, from its logs to the next view. */
import type { Block } from '../../src/domain/block.js';
import { uintWord, type Hash } from '../../src/domain/hex.js';
import { FeedBook } from '../../src/oracles/feed-book.js';
import { PriceGuard } from '../../src/oracles/price-guard.js';
import type { MorphoBlueView } from '../../src/protocols/morpho-blue/at-risk.js';
import { MorphoBlueMarket } from '../../src/protocols/morpho-blue/morpho-blue-market.js';
import { TokenPrices } from '../../src/protocols/token-prices.js';
import { Chain } from '../../src/rpc/chain/chain.js';
import { readAt } from '../../src/rpc/chain/read.js';
import { percentile } from '../../devnet/demo/totals.js';
import {
  differences,
  measurement,
  timed,
  userMs,
  type GroupOptions,
  type Measurement,
} from './measurement.js';
import { BLUE_EVENTS, BlueLedger, type BlueBlock } from './morpho-ledger.js';
import { BlueNode } from './morpho-node.js';
import { blueAccountsOf, blueWorld, isUnhealthy, worthsOf, type BlueWorld } from './morpho-world.js';
import { CONFIG, LIMITS } from './tracked.js';

const MARKETS = 500;
const POSITIONS = 250_000;
const BLOCKS = 120;
/** Not measured: in the first blocks the engine still compiles the code. */
const WARM_UP = 40;
const NO_ACCOUNTS = { read: [], wanted: new Map(), contradicted: [], undecodable: [] } as const;

export async function markets({ progress }: GroupOptions): Promise<Measurement[]> {
  progress(`making ${MARKETS} markets with ${POSITIONS} positions`);
  const world = blueWorld(MARKETS);
  const ledger = new BlueLedger(world, blueAccountsOf(world, POSITIONS));
  const node = new BlueNode(world);
  const { feeds, market } = await begin(world, new Chain(node));
  const chain = new Chain(node);
  const made = Array.from({ length: WARM_UP + BLOCKS }, () => ledger.block());

  progress(`applying ${BLOCKS} blocks`);
  const times: number[] = [];
  let [user, logs] = [0, 0];
  let last: BlueBlock | undefined;
  let view: MorphoBlueView | undefined;
  for (const [index, next] of made.entries()) {
    [last, node.usd8, node.timestamp] = [next, next.usd8, next.timestamp];
    const block = blockOf(index + 1, next.timestamp);
    const [busy, userBefore, began] = [node.busyMs, userMs(), performance.now()];
    const [step, ofFeeds] = [await market.prepare(block, next.logs), await feeds.prepare(block, next.logs)];
    feeds.commit(ofFeeds);
    market.commit(step, block);
    market.takeChanges();
    view = market.view(await readAt(chain, market.reads(block), block.hash));
    if (index < WARM_UP) continue;
    const atNode = node.busyMs - busy;
    times.push(performance.now() - began - atNode);
    user += userMs() - userBefore - atNode;
    logs += next.logs.length;
  }
  if (!last || !view) throw new Error('there was no block');
  check(market, view, ledger, last);

  progress('the same with ethers, and every position exactly');
  const plain = plainly(ledger, last);
  return [
    measurement('markets.count', view.valued.size, 'markets'),
    measurement('markets.positions', POSITIONS, 'positions'),
    measurement('markets.logs', logs / BLOCKS, 'logs'),
    measurement('markets.liquidatable', view.positions.length, 'positions'),
    measurement('markets.block.p50', percentile(times, 50), 'ms', plain.ms),
    measurement('markets.block.p99', percentile(times, 99), 'ms', plain.ms),
    measurement('markets.block.userCpu', user / BLOCKS, 'ms', plain.user),
  ];
}

async function begin(world: BlueWorld, chain: Chain): Promise<{ feeds: FeedBook; market: MorphoBlueMarket }> {
  const guard = new PriceGuard(CONFIG);
  const [native] = world.tokens;
  if (!native) throw new Error('there are no tokens');
  const feeds = new FeedBook(chain, native.feed, guard);
  const start = blockOf(0, world.timestamp);
  feeds.commitRange(await feeds.prepareRange(start));
  const foundFeeds = await feeds.findUnknown(
    world.tokens.map(({ feed }) => feed),
    start.hash,
  );
  const sources = { chain, feeds, guard, tokenPrices: new TokenPrices(chain, []) };
  const market = new MorphoBlueMarket(sources, world.settings, LIMITS);
  market.commitRange(
    {
      ...NO_ACCOUNTS,
      changes: [],
      positions: [],
      preChanges: [],
      found: { markets: world.markets, ignored: new Map() },
      foundFeeds,
      saved: [...blueAccountsOf(world, POSITIONS)],
      readsChange: true,
    },
    start,
  );
  return { feeds, market };
}

/** @throws Error when a market, a position or a judgement is not as the ledger has it */
function check(market: MorphoBlueMarket, view: MorphoBlueView, ledger: BlueLedger, last: BlueBlock): void {
  for (const [id, expected] of ledger.markets) {
    const { totals } = view.markets.get(id) ?? {};
    const keys = Object.keys(expected.totals) as (keyof typeof expected.totals)[];
    if (!totals || keys.some((key) => totals[key] !== expected.totals[key]))
      throw new Error(`the market ${id} is not as it should be`);
  }
  for (const [id, positions] of ledger.positions)
    for (const [borrower, { collateral, borrowShares }] of positions) {
      const leg = market.account(borrower)?.legs.find(({ marketId }) => marketId === id);
      if (leg?.collateral !== collateral || leg.borrowShares !== borrowShares)
        throw new Error(`the position of ${borrower} in ${id} is not as it should be`);
    }
  const ours = new Set(view.positions.map(({ borrower, marketId }) => `${borrower} ${marketId}`));
  const misjudged = differences(ours, unhealthy(ledger, last));
  if (misjudged > 0) throw new Error(`after the blocks ${misjudged} positions were misjudged`);
}

function unhealthy({ markets: all, positions }: BlueLedger, { usd8, timestamp }: BlueBlock): Set<string> {
  const found = new Set<string>();
  for (const [id, worth] of worthsOf(all.values(), usd8, timestamp))
    for (const [borrower, position] of positions.get(id) ?? [])
      if (isUnhealthy(position, worth)) found.add(`${borrower} ${id}`);
  return found;
}

/** The baseline: every log parsed by ethers, and the exact health of every position. */
function plainly(ledger: BlueLedger, last: BlueBlock): { ms: number; user: number } {
  const before = userMs();
  const ms = timed(() => {
    for (const one of last.logs)
      if (!BLUE_EVENTS.parseLog(one)) throw new Error('ethers does not know a log');
    unhealthy(ledger, last);
  });
  return { ms, user: userMs() - before };
}

function blockOf(number: number, timestamp: number): Block {
  const hash = (one: number): Hash => `0x${uintWord(one + 1)}`;
  return { number, hash: hash(number), parentHash: hash(number - 1), timestamp, baseFeePerGas: 0n };
}
