import type { Contract } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoBorrowers, startDevnet, TOKEN_SYMBOLS, type Devnet } from '../../devnet/index.js';
import { aaveParts, ALL_POSITIONS } from '../../testing/aave-state.js';
import { answersAlways, answersWords, passedOn } from '../../testing/answering-code.js';
import { chainOf } from '../../testing/chain.js';
import { configOf } from '../../testing/devnet-config.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { morphoSettings } from '../../testing/morpho-state.js';
import { send } from '../../testing/send.js';
import type { FeedKind, MarketFeeds } from '../domain/feed-kinds.js';
import { toAddress, type Address, type Hash } from '../domain/hex.js';
import { BPS, USD8 } from '../domain/money.js';
import { FeedBook } from '../oracles/feed-book.js';
import { feedNatures } from '../oracles/feed-natures.js';
import { PriceGuard } from '../oracles/price-guard.js';
import type { Chain } from '../rpc/chain/chain.js';
import { readAt } from '../rpc/chain/read.js';
import type { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { StateView } from '../state/state-view.js';
import { CompoundV2Market } from './compound-v2/compound-v2-market.js';
import { CompoundV2Reader } from './compound-v2/compound-v2.reader.js';
import type { LendingMarket } from './lending-market.js';
import { MarketSurvey } from './market-survey.js';
import { MorphoBlueMarket } from './morpho-blue/morpho-blue-market.js';
import { TokenPrices } from './token-prices.js';

const BORROWERS = 24;
const HOUR_MS = 3_600_000;

let devnet: Devnet;
let clean: string;
let chain: Chain;
let pool: RpcPool;
let feeds: FeedBook;
const clock = new TestClock();

beforeAll(async () => {
  devnet = await startDevnet();
  ({ chain, pool } = chainOf(devnet));
  await devnet.openPositions(demoBorrowers(BORROWERS));
});
beforeEach(async () => {
  clean = await devnet.snapshot();
  const config = configOf(devnet);
  feeds = new FeedBook(chain, config.oracles.nativeUsdFeed, new PriceGuard(config));
});
afterEach(() => devnet.revert(clean));
afterAll(async () => {
  pool.close();
  await devnet.stop();
});

function surveyOf(market: LendingMarket): MarketSurvey {
  return new MarketSurvey(chain, feeds, { all: [market] }, clock);
}

/** All positions of a market at the latest block. */
async function viewed(market: LendingMarket): Promise<StateView> {
  const block = await chain.getBlock('latest');
  feeds.commitRange(await feeds.prepareRange(block));
  market.commitRange(await market.prepareRange(block, undefined, []), block);
  const accounts = [...(await market.accountsIn(0, block.number))];
  market.adopt(await market.readAccounts(accounts, block.hash), [], undefined);
  const answers = await readAt(chain, market.reads(block), block.hash);
  return new StateView(block, new Map([[market.name, market.view(answers)]]));
}

async function surveyed(market: LendingMarket): Promise<MarketFeeds> {
  const [found] = await surveyOf(market).of(await viewed(market));
  if (!found) throw new Error('a market was expected');
  return found;
}

const kindsOf = ({ feeds: all }: MarketFeeds): Record<string, FeedKind> =>
  Object.fromEntries(all.map(({ of, kind }) => [of, kind]));

function aave(): LendingMarket {
  const parts = aaveParts(chain, configOf(devnet), ALL_POSITIONS);
  ({ feeds } = parts);
  return parts.market;
}

/** What Aave itself says: the debts of the accounts that hold or owe this token, of all debts. USD8. */
async function debtsWith(symbol: 'cbBTC', accounts: Iterable<Address>): Promise<readonly [bigint, bigint]> {
  const reserveData = devnet.contracts.dataProvider.getFunction('getUserReserveData');
  let [withToken, all] = [0n, 0n];
  for (const account of accounts) {
    const { totalDebtUsd8 } = await devnet.accountData(account);
    const [supplied = 0n, , owed = 0n] = (await reserveData(
      devnet.tokens[symbol].address,
      account,
    )) as bigint[];
    all += totalDebtUsd8;
    if (supplied > 0n || owed > 0n) withToken += totalDebtUsd8;
  }
  return [withToken, all];
}

async function setSource(symbol: 'cbBTC' | 'WETH', source: string): Promise<void> {
  const { deployer } = devnet.accounts;
  const { address } = devnet.tokens[symbol];
  await send(devnet, deployer, devnet.contracts.oracle, 'setAssetSources', [address], [source]);
}

describe('the feeds of Aave', () => {
  it('are told as public or SVR, with the debt that Aave itself says is behind them', async () => {
    const market = aave();
    const found = await surveyed(market);
    expect(kindsOf(found)).toEqual({ WETH: 'public', USDC: 'public', cbETH: 'public', cbBTC: 'svr' });
    expect(found.feeds.find(({ of }) => of === 'cbBTC')?.type).toBe('DualAggregator 1.0.0');
    const [behindBitcoin, all] = await debtsWith('cbBTC', market.accounts);
    expect(behindBitcoin).toBeGreaterThan(0n);
    // Each debt is rounded to a unit of USD8.
    expect(Math.abs(Number(found.debtUsd8 - all))).toBeLessThanOrEqual(2 * BORROWERS);
    const share = Number((behindBitcoin * BPS) / all);
    expect(Math.abs(found.kinds.svr.debtBps - share)).toBeLessThanOrEqual(1);
    expect(Math.abs(found.kinds.svr.debtBps + found.kinds.public.debtBps - 10_000)).toBeLessThanOrEqual(1);
    expect(found.kinds.svr.feeds).toBe(1);
  });

  it('behind an adapter are what the aggregator behind it is, also behind two', async () => {
    const { feed } = devnet.tokens.cbBTC;
    const capped = await devnet.deploy('PriceCapAdapter', [feed, 10n ** 6n * USD8]);
    const twice = await devnet.deploy('PriceCapAdapter', [await capped.getAddress(), 10n ** 6n * USD8]);
    await setSource('cbBTC', await twice.getAddress());
    const found = await surveyed(aave());
    expect(kindsOf(found)).toMatchObject({ cbBTC: 'svr', WETH: 'public' });
    expect(found.feeds.find(({ of }) => of === 'cbBTC')?.address).toBe(toAddress(await twice.getAddress()));
  });

  it('of a proxy that gets another aggregator are told anew: at once when its log is followed', async () => {
    const market = aave();
    const survey = surveyOf(market);
    await survey.of(await viewed(market));
    await confirm('WETH', await devnet.deploy('DualAggregator', aggregatorOf(3_000n * USD8)));
    const [after] = await survey.of(await viewed(market));
    expect(after && kindsOf(after)).toMatchObject({ WETH: 'svr', cbBTC: 'svr', USDC: 'public' });
  });

  it('of an adapter whose feed changes without a log are told anew an hour later', async () => {
    const capped = await devnet.deploy('PriceCapAdapter', [devnet.tokens.WETH.feed, 10n ** 6n * USD8]);
    await setSource('WETH', await capped.getAddress());
    const market = aave();
    const survey = surveyOf(market);
    await survey.of(await viewed(market));
    await confirm('WETH', await devnet.deploy('DualAggregator', aggregatorOf(3_000n * USD8)));
    const [before] = await survey.of(await viewed(market));
    expect(before && kindsOf(before)).toMatchObject({ WETH: 'public' });
    clock.advance(HOUR_MS);
    const [after] = await survey.of(await viewed(market));
    expect(after && kindsOf(after)).toMatchObject({ WETH: 'svr' });
  });
});

const aggregatorOf = (usd8: bigint): unknown[] => [8, 'a feed', usd8, devnet.accounts.deployer];

async function confirm(symbol: 'WETH', aggregator: Contract): Promise<void> {
  const { deployer } = devnet.accounts;
  const next = await aggregator.getAddress();
  for (const method of ['proposeAggregator', 'confirmAggregator'])
    await send(devnet, deployer, devnet.feed(symbol), method, next);
}

describe('the feeds of Compound', () => {
  const compound = (): LendingMarket => {
    const guard = new PriceGuard(configOf(devnet));
    const comptroller = toAddress(devnet.addresses.comptroller);
    const reader = new CompoundV2Reader(chain);
    const settings = { name: 'compound', comptroller, fromBlock: 0 };
    return new CompoundV2Market({ chain, reader, feeds, guard }, settings, ALL_POSITIONS);
  };

  beforeEach(async () => {
    for (const [symbol, amount, usdc] of [
      ['WETH', 10n * 10n ** 18n, 9_000n],
      ['cbETH', 10n * 10n ** 18n, 6_000n],
      ['cbBTC', 10n ** 8n, 5_000n],
    ] as const)
      await devnet.openCompoundPosition({
        collateral: { symbol, amount },
        debt: { symbol: 'USDC', amount: usdc * 10n ** 6n },
      });
  });

  it('are unknown where the oracle names none', async () => {
    const found = await surveyed(compound());
    expect(new Set(Object.values(kindsOf(found)))).toEqual(new Set(['unknown']));
    expect(found.kinds.unknown.debtBps).toBe(10_000);
    expect(found.feeds.every(({ address }) => address === undefined)).toBe(true);
  });

  it('that the oracle names are told as public, SVR or wrapper, with the debt behind them', async () => {
    const wrapper = await devnet.deploy('OevWrapper', [devnet.tokens.WETH.feed]);
    const named = await Promise.all(
      TOKEN_SYMBOLS.map((symbol) =>
        symbol === 'WETH' ? wrapper.getAddress() : Promise.resolve(devnet.tokens[symbol].feed),
      ),
    );
    const oracle = await devnet.deploy('SymbolPriceOracle', [[...TOKEN_SYMBOLS], named]);
    const { deployer } = devnet.accounts;
    await send(devnet, deployer, devnet.contracts.comptroller, '_setPriceOracle', await oracle.getAddress());
    const found = await surveyed(compound());
    expect(kindsOf(found)).toEqual({ WETH: 'oev-wrapper', USDC: 'public', cbETH: 'public', cbBTC: 'svr' });
    // 9,000, 6,000 and 5,000 of 20,000 dollars.
    const shares = [found.kinds['oev-wrapper'], found.kinds.public, found.kinds.svr];
    for (const [index, share] of [4_500, 3_000, 2_500].entries())
      expect(Math.abs((shares[index]?.debtBps ?? 0) - share)).toBeLessThanOrEqual(1);
    expect(found.debtUsd8 / USD8).toBe(20_000n);
  });
});

describe('the feeds of Morpho Blue', () => {
  const morpho = (): LendingMarket => {
    const guard = new PriceGuard(configOf(devnet));
    const tokenPrices = new TokenPrices(chain, []);
    return new MorphoBlueMarket({ chain, feeds, guard, tokenPrices }, morphoSettings(devnet), ALL_POSITIONS);
  };

  it('are those of each market’s oracle, with the debt behind them', async () => {
    for (const [symbol, collateral, usdc] of [
      ['WETH', 10n * 10n ** 18n, 9_000n],
      ['cbBTC', 10n ** 8n, 3_000n],
    ] as const)
      await devnet.openMorphoPosition({
        market: devnet.morphoMarket(symbol, 'USDC'),
        collateral,
        debt: usdc * 10n ** 6n,
      });
    const found = await surveyed(morpho());
    const shown = found.feeds.map(({ address, kind, debtBps }) => [address, kind, debtBps]);
    const feed = (symbol: 'WETH' | 'USDC' | 'cbBTC'): Address => toAddress(devnet.tokens[symbol].feed);
    expect(shown).toEqual([
      [feed('USDC'), 'public', 10_000],
      [feed('WETH'), 'public', 7_500],
      [feed('cbBTC'), 'svr', 2_500],
    ]);
    expect(found.kinds).toMatchObject({
      svr: { feeds: 1, debtBps: 2_500 },
      public: { feeds: 2, debtBps: 7_500 },
    });
  });
});

describe('feeds that answer what they like', () => {
  const text = Buffer.from(`Dual\u001b[2J${'x'.repeat(90_000)}`, 'latin1');
  const words = (bytes: Buffer): bigint[] =>
    Array.from({ length: Math.ceil(bytes.length / 32) }, (_, index) =>
      BigInt(
        `0x${bytes
          .subarray(32 * index, 32 * index + 32)
          .toString('hex')
          .padEnd(64, '0')}`,
      ),
    );
  /** typeAndVersion() jumps to its own place until all gas is burnt; anything else reverts. */
  const BURNS = '0x5f3560e01c63181f5a77146011575f5ffd5b601156';
  /** Returns five megabytes. */
  const FLOODS = '0x624c4b405ff3';
  const cases: readonly (readonly [string, (self: Address) => string])[] = [
    ['burns all gas', () => BURNS],
    ['answers with megabytes', () => FLOODS],
    ['names itself', (self) => answersAlways(BigInt(self))],
    ['answers a number', () => answersAlways(1n)],
    [
      'says a long text with control characters',
      () => answersWords([32n, BigInt(text.length), ...words(text.subarray(0, 1_000))]),
    ],
    ['passes everything on to itself', (self) => `0x${passedOn(self, 'staticcall')}`],
  ];

  it.each(cases)('one that %s is unknown, and the feeds beside it are known', async (_name, code) => {
    const self: Address = `0x${'ba'.repeat(20)}`;
    await devnet.rpc('anvil_setCode', [self, code(self)]);
    const { hash }: { hash: Hash } = await chain.getBlock('latest');
    const of = (symbol: 'WETH' | 'cbBTC'): Address => toAddress(devnet.tokens[symbol].feed);
    const natures = await feedNatures(chain, [of('WETH'), self, of('cbBTC')], hash);
    expect([...natures.values()].map(({ kind }) => kind)).toEqual(['public', 'unknown', 'svr']);
    expect(natures.get(self)?.type ?? '').toMatch(/^[ -~]{0,64}$/);
  });
});
