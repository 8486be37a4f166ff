import { prospectsOf } from '../../testing/prospects.js';
import { detectionsOf } from '../../testing/opportunities.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initialPrices, startDevnet, type Devnet } from '../../devnet/index.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts, type AaveParts } from '../../testing/aave-state.js';
import { answersTo, passedOn, REVERTS } from '../../testing/answering-code.js';
import { decisionsOf } from '../../testing/decisions.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { eventually } from '../../testing/eventually.js';
import { faultBegins } from '../../testing/fault-times.js';
import { contractAnswers, withWord } from '../../testing/nodes/lies.js';
import { LyingNode } from '../../testing/nodes/lying-node.js';
import { bySize } from '../domain/bid.js';
import type { ChimeraConfig } from '../config/index.js';
import { OpportunityDetector, type Detection } from '../detector/opportunity-detector.js';
import { poolsAt } from '../../testing/pools.js';
import type { PlanDecision } from '../domain/decision.js';
import { RetryError } from '../domain/errors.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { Secret } from '../domain/secret.js';
import { ExecutionPlanner } from '../planner/execution-planner.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import type { StateView } from '../state/state-view.js';
import { NativePriceWatch } from './native-price-watch.js';
import { PriceGuard } from './price-guard.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';

/** Not the feed of the market, so that only this one fails. It answers what the market's one does. */
const FEED: Address = `0x${'fe'.repeat(20)}`;
const LATEST_ROUND_DATA = '0xfeaf968c';
const UNLIMITED_USD8 = 10n ** 9n * USD8;
/** Of the default configuration. */
const LIMIT_SECONDS = 90_000;

let devnet: Devnet;
let clean: string;
let borrower: string;
let primary: LyingNode;
let pool: RpcPool;
let chain: Chain;
let config: ChimeraConfig;
let events: RecordedEvents;
let parts: AaveParts;
let watch: NativePriceWatch;
let detector: OpportunityDetector;

beforeAll(async () => {
  devnet = await startDevnet();
  primary = await LyingNode.start({ http: devnet.rpcUrl, ws: devnet.wsUrl });
  borrower = await devnet.openPosition({
    collaterals: [{ symbol: 'WETH', amount: 10n * 10n ** 18n }],
    debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
  });
  await feedWorks();
});

beforeEach(async () => {
  clean = await devnet.snapshot();
  primary.repent();
  await fall();
});

afterEach(async () => {
  pool.close();
  await devnet.revert(clean);
});

afterAll(async () => {
  await primary.stop();
  await devnet.stop();
});

/** The parts of a bot with one endpoint, or with two, of which the first may lie. */
function follow(endpoints: 1 | 2): void {
  const backupUrl = devnet.rpcUrl;
  const settings = endpoints === 2 ? { rpcUrl: primary.httpUrl, backupUrl } : {};
  config = configOf(devnet, { ...settings, minProfitUsd: '0', nativeUsdFeed: FEED });
  const urls = {
    primary: { http: new Secret(primary.httpUrl) },
    ...(endpoints === 2 && { backup: { http: new Secret(backupUrl) } }),
  };
  pool = new RpcPool({
    chainId: devnet.chainId,
    ...urls,
    // A busy machine is slow. What an endpoint says is tried here, not how late it is.
    timings: { deadlineMs: 30_000 },
  });
  chain = new Chain(pool);
  events = new RecordedEvents();
  parts = aaveParts(chain, config, LIQUIDATABLE);
  // From now on it is read by a call.
  parts.feeds.distrust(FEED);
  watch = new NativePriceWatch(chain, parts.feeds, events, config);
  const guard = new PriceGuard(config);
  detector = new OpportunityDetector({ all: [parts.market] }, parts.feeds, guard, config);
}

async function pass(): Promise<{ view: StateView; detections: readonly Detection[] }> {
  const view = await viewOfAccounts(parts, chain, [borrower]);
  watch.at(view);
  await watch.idle();
  return { view, detections: detectionsOf(detector, view, UNLIMITED_USD8) };
}

/** As the loop does, it tries again when an endpoint is late: a busy machine is slow. */
async function plan(): Promise<PlanDecision | undefined> {
  let decision: PlanDecision | undefined;
  await eventually(async () => {
    try {
      decision = await planOnce();
    } catch (error) {
      if (error instanceof RetryError) return false;
      throw error;
    }
    return !(decision?.kind === 'rejected' && decision.reason === 'second-endpoint-unavailable');
  }, 'both endpoints to answer');
  return decision;
}

async function planOnce(): Promise<PlanDecision | undefined> {
  const { view, detections } = await pass();
  const head = await devnet.rpc('eth_getBlockByNumber', ['latest', false]);
  pool.headers.check(head as Record<string, unknown>);
  const { native, nativeConfirmed } = view.of(parts.feeds);
  const planner = new ExecutionPlanner(chain, new OpStackFees(), events, config);
  const opportunities = detections.flatMap((one) => (one.kind === 'opportunity' ? [one.opportunity] : []));
  const pools = await poolsAt(devnet, chain, config, view.block.hash);
  const [decision] = await decisionsOf(
    planner.plan(prospectsOf(opportunities), () => ({
      block: view.block,
      pools,
      lenders: NO_OFFERS,
      nativePriceUsd8: native?.answer ?? 0n,
      nativePriceConfirmed: nativeConfirmed,
      operator: toAddress(devnet.accounts.operator),
      pending: [],
      marketNativePricesUsd8: detector.marketNativePricesUsd8(view),
      bidOf: bySize(config.planner),
      allowance: anAllowance(),
    })),
  );
  return decision;
}

const fall = (usd = 2_600n): Promise<unknown> => devnet.setPrices({ ...initialPrices(), WETH: usd * USD8 });

/** Code of the feed, and a block that has it. */
async function feedIs(code: string): Promise<void> {
  await devnet.rpc('anvil_setCode', [FEED, code]);
  await devnet.mine();
}

const feedWorks = (): Promise<void> =>
  feedIs(answersTo('decimals()', 8n, passedOn(devnet.addresses.nativeUsdFeed, 'staticcall')));

const asksFeed = ({ to, data }: { to: string; data: string }): boolean =>
  to === FEED && data === LATEST_ROUND_DATA;

describe('the price of the native token', { timeout: 60_000 }, () => {
  it.each([
    ['reverts', REVERTS],
    ['answers nothing', '0x00'],
    ['answers one word', answersTo('latestRoundData()', 1n)],
    ['answers zero', '0x60a05ff3'],
  ])(
    'F34 a feed that %s: the last good price with its age, until the limit; then the feed again',
    async (_, code) => {
      follow(1);
      expect((await pass()).detections).toMatchObject([{ kind: 'opportunity' }]);
      const fault = faultBegins();
      await feedIs(code);
      await devnet.increaseTime(600);
      const { view, detections } = await pass();
      expect(detections).toMatchObject([{ kind: 'opportunity' }]);
      fault.detected();
      const { native, nativeKept } = view.of(parts.feeds);
      expect([native?.answer, nativeKept]).toEqual([2_600n * USD8, true]);
      await pass();
      const ageSeconds = view.block.timestamp - (native?.updatedAt ?? 0);
      expect(ageSeconds).toBeGreaterThanOrEqual(600);
      expect(events.all).toEqual([{ event: 'native-price-kept', block: view.block.number, ageSeconds }]);
      expect(await plan()).toMatchObject({ kind: 'planned' });

      await devnet.increaseTime(LIMIT_SECONDS);
      expect((await pass()).detections).toMatchObject([
        { kind: 'rejected', reason: 'price-stale', detail: { asset: 'native' } },
      ]);

      fault.over();
      await feedWorks();
      await fall(2_601n);
      const well = await pass();
      expect(well.detections).toMatchObject([{ kind: 'opportunity' }]);
      fault.recovered();
      expect(events.named('native-price-back')).toMatchObject([{ block: well.view.block.number }]);
    },
  );

  it('F34 without a good price before, the price is missing', async () => {
    follow(1);
    await feedIs(REVERTS);
    expect((await pass()).detections).toMatchObject([{ kind: 'rejected', reason: 'price-missing' }]);
    await feedWorks();
    expect((await pass()).detections).toMatchObject([{ kind: 'opportunity' }]);
    expect(events.all).toEqual([]);
  });

  it('F42 with two endpoints a price that only one of them said is not kept; one that both said is', async () => {
    follow(2);
    primary.lie = contractAnswers(asksFeed, (data) => withWord(data, 1, (price) => price + 1n));
    await pass();
    expect(primary.lies).toBeGreaterThan(0);
    await feedIs(REVERTS);
    expect((await pass()).detections).toMatchObject([{ kind: 'rejected', reason: 'price-missing' }]);

    primary.repent();
    await feedWorks();
    await eventually(
      async () => (await pass()).view.of(parts.feeds).nativeConfirmed,
      'both to say the price',
    );
    await feedIs(REVERTS);
    expect(await plan()).toMatchObject({ kind: 'planned' });
    expect(events.named('native-price-kept')).toHaveLength(1);
  });

  it('F42 a feed that fails by the word of one of two endpoints: no plan stands on the kept price', async () => {
    follow(2);
    expect(await plan()).toMatchObject({ kind: 'planned' });
    primary.lie = contractAnswers(asksFeed, () => '0x');
    expect(await plan()).toMatchObject({
      ...{ kind: 'rejected', reason: 'endpoints-disagree' },
      detail: { about: 'nativePriceUsd8', primary: 'none', backup: String(2_600n * USD8) },
    });
    primary.repent();
    expect(await plan()).toMatchObject({ kind: 'planned' });
  });
});
