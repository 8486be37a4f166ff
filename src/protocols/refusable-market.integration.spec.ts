import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoBorrowers, startDevnet, type Devnet } from '../../devnet/index.js';
import { ALL_POSITIONS } from '../../testing/aave-state.js';
import { answersTo } from '../../testing/answering-code.js';
import { chainOf } from '../../testing/chain.js';
import { startCheckpoints, type Checkpoints } from '../../testing/checkpoints.js';
import { configOf } from '../../testing/devnet-config.js';
import { engineOver, type EngineParts } from '../../testing/engine-over.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { send } from '../../testing/send.js';
import { disagreements, reached } from '../../testing/state.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { FeedBook } from '../oracles/feed-book.js';
import { PriceGuard } from '../oracles/price-guard.js';
import type { StateView } from '../state/state-view.js';
import type { LendingMarket } from './lending-market.js';
import { marketOf, tokenPricesOf } from './market-kinds.js';
import { RefusableMarket } from './refusable-market.js';

const AAVE_BORROWERS = 3;
const OTHER_POOL = `0x${'f0'.repeat(20)}`;
/** A pool that tells its revision, and does nothing in any other call. */
const UNKNOWN_REVISION = answersTo('POOL_REVISION()', 12n, '00');
const SENTENCE = expect.stringContaining('POOL_REVISION 12, whose liquidation rules are not known') as string;
const REFUSED = [{ market: 'aave', reason: SENTENCE }];
const LIMITS = { maxNotionalUsd8: 10n ** 9n * USD8, fundingHorizonSeconds: 60 };

interface Bot extends EngineParts {
  readonly events: RecordedEvents;
  readonly markets: readonly LendingMarket[];
}

let devnet: Devnet;
let connection: ReturnType<typeof chainOf>;
let checkpoints: Checkpoints;
let borrower: Address;

beforeAll(async () => {
  [checkpoints, devnet] = await Promise.all([startCheckpoints(), startDevnet()]);
  connection = chainOf(devnet);
  await devnet.openPositions(demoBorrowers(AAVE_BORROWERS));
  const debt = { symbol: 'USDC', amount: 24_000n * 10n ** 6n } as const;
  const collateral = { symbol: 'WETH', amount: 10n ** 19n } as const;
  borrower = toAddress(await devnet.openCompoundPosition({ collateral, debt }));
});

afterAll(async () => {
  connection.pool.close();
  await devnet.stop();
  await checkpoints.stop();
});

describe('F58 a market that is upgraded to rules that are not known', () => {
  it('stops alone with its sentence, also after a restart; the other one goes on; a reorg brings it back', async () => {
    const bot = await started();
    await devnet.mine();
    await advance(bot);
    expect(bot.engine.refused).toEqual([]);
    const before = await devnet.snapshot();

    await upgrade();
    await advance(bot);
    await devnet.mine();
    await advance(bot);
    await expectRefused(bot);
    expect(bot.events.named('market-refused')).toEqual([
      expect.objectContaining({ market: 'aave', reason: SENTENCE }),
    ]);

    await devnet.setPrice('WETH', 2_850n * USD8);
    const view = await advance(bot);
    expect(atRisk(bot, view)).toEqual({ aave: [], compound: [borrower] });
    const again = await started();
    await expectRefused(again);
    await again.engine.stop();

    await devnet.revert(before);
    await devnet.mine(8);
    await advance(bot);
    expect(bot.engine.refused).toEqual([]);
    expect(bot.engine.positionCount).toBe(AAVE_BORROWERS + 1);
    expect(await disagreements(bot)).toEqual([]);
  });
});

/** A bot with Aave and Compound. Every borrower of what it serves is known. */
async function started(): Promise<Bot> {
  const { chain } = connection;
  const config = configOf(devnet, { beside: ['compound'] });
  const { protocols, oracles } = config;
  const events = new RecordedEvents();
  const guard = new PriceGuard(config);
  const feeds = new FeedBook(chain, oracles.nativeUsdFeed, guard);
  const tokenPrices = tokenPricesOf(protocols, chain);
  const parts = { chain, feeds, guard, tokenPrices, healthFactors: ALL_POSITIONS };
  const markets = protocols.map((protocol) => new RefusableMarket(marketOf(protocol, parts), events));
  const bot = { ...engineOver(chain, feeds, markets, checkpoints.open(), { events }), events, markets };
  await bot.engine.start(await chain.getBlock('latest'));
  // The search in a market that is refused pauses until its next start.
  void bot.backfill.release();
  await eventually(() => bot.engine.incomplete.length === 0, 'every borrower to be known');
  return bot;
}

/** Aave alone is refused: nobody asks for its borrowers, and the books of the other market are true. */
async function expectRefused(bot: Bot): Promise<void> {
  expect(bot.engine.refused).toEqual(REFUSED);
  expect(bot.engine.incomplete).toEqual([]);
  expect(bot.engine.positionCount).toBe(1);
  expect(await disagreements(bot)).toEqual([]);
}

async function advance({ engine }: Bot): Promise<StateView> {
  return reached(await engine.advance(await connection.chain.getBlock('latest')));
}

/** By the deployer, as a governance does it. */
async function upgrade(): Promise<void> {
  const { accounts, contracts } = devnet;
  await devnet.rpc('anvil_setCode', [OTHER_POOL, UNKNOWN_REVISION]);
  await send(devnet, accounts.deployer, contracts.addressesProvider, 'setPoolImpl', OTHER_POOL);
}

/** The borrowers that may be liquidated, by the name of their market. */
function atRisk({ markets }: Bot, view: StateView): Record<string, Address[]> {
  return Object.fromEntries(
    markets.map((market) => {
      const positions = [...view.of(market).atRisk(LIMITS)];
      return [market.name, positions.map(({ borrower: one }) => one)];
    }),
  );
}
