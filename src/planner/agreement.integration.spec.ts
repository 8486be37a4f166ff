import { prospectsOf } from '../../testing/prospects.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { initialPrices, startDevnet, type Devnet } from '../../devnet/index.js';
import { decisionsOf } from '../../testing/decisions.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { configOf } from '../../testing/devnet-config.js';
import { chainOf } from '../../testing/chain.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts } from '../../testing/aave-state.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { poolsAt } from '../../testing/pools.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { contractAnswers, fieldsOf, hex, simulatedCalls, withWord, word } from '../../testing/nodes/lies.js';
import { LyingNode, type Lie } from '../../testing/nodes/lying-node.js';
import { bySize } from '../domain/bid.js';
import type { PlanDecision } from '../domain/decision.js';
import { toAddress } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { Opportunity } from '../domain/opportunity.js';
import { Secret } from '../domain/secret.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import { ExecutionPlanner } from './execution-planner.js';
import type { PlanningContext } from './planning-context.js';
import { NO_OFFERS } from '../liquidity/lenders/offers.js';

/** OP stack: the predeploy that says what a transaction pays beside its gas. */
const GAS_PRICE_ORACLE = '0x420000000000000000000000000000000000000f';
const LATEST_ROUND_DATA = '0xfeaf968c';
const GET_L1_FEE = '0x49948e0e';
const HEADERS = ['eth_getBlockByHash', 'eth_getBlockByNumber'];

let devnet: Devnet;
let honest: ReturnType<typeof chainOf>;
let primary: LyingNode;
let pool: RpcPool;
let opportunities: Opportunity[];
let context: PlanningContext;

beforeAll(async () => {
  devnet = await startDevnet();
  honest = chainOf(devnet);
  primary = await LyingNode.start({ http: devnet.rpcUrl, ws: devnet.wsUrl });
  const borrowers = await devnet.openPositions([
    {
      collaterals: [{ symbol: 'WETH', amount: 10n ** 19n }],
      debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
    },
  ]);
  await devnet.setPrices({ ...initialPrices(), WETH: 2_680n * USD8 });

  const config = configOf(devnet, { minProfitUsd: '0' });
  const parts = aaveParts(honest.chain, config, LIQUIDATABLE);
  const view = await viewOfAccounts(parts, honest.chain, borrowers);
  opportunities = opportunitiesIn(view, parts, config);
  context = {
    block: view.block,
    pools: await poolsAt(devnet, honest.chain, config, view.block.hash),
    lenders: NO_OFFERS,
    nativePriceUsd8: view.of(parts.feeds).native?.answer ?? 0n,
    operator: toAddress(devnet.accounts.operator),
    pending: [],
    marketNativePricesUsd8: [],
    bidOf: bySize(config.planner),
    allowance: anAllowance(),
  };
});

beforeEach(() => primary.repent());

afterAll(async () => {
  pool.close();
  honest.pool.close();
  await primary.stop();
  await devnet.stop();
});

async function decide(
  mode: 'live' | 'dry-run' = 'live',
  events = new RecordedEvents(),
): Promise<PlanDecision> {
  const config = configOf(devnet, { mode, rpcUrl: primary.httpUrl, backupUrl: devnet.rpcUrl });
  const urls = {
    primary: { http: new Secret(primary.httpUrl) },
    backup: { http: new Secret(devnet.rpcUrl) },
  };
  pool = new RpcPool({
    chainId: devnet.chainId,
    ...urls,
    // A busy machine is slow. What an endpoint says is tried here, not how late it is.
    timings: { deadlineMs: 30_000 },
  });
  const head = await devnet.rpc('eth_getBlockByNumber', ['latest', false]);
  pool.headers.check(head as Record<string, unknown>);
  const chain = new Chain(pool);
  const planner = new ExecutionPlanner(chain, new OpStackFees(), events, config);
  try {
    const [decision] = await decisionsOf(planner.plan(prospectsOf(opportunities), () => context));
    return decision!;
  } finally {
    pool.close();
  }
}

const nativePrice = (price: bigint): Lie =>
  contractAnswers(
    ({ to, data }) => to === devnet.addresses.nativeUsdFeed.toLowerCase() && data === LATEST_ROUND_DATA,
    (data) => withWord(data, 1, () => price),
  );
const profit = (edit: (value: bigint) => bigint): Lie =>
  simulatedCalls(({ returnData }) => ({ returnData: withWord(String(returnData), 6, edit) }));
const l1Fee = (wei: bigint): Lie =>
  contractAnswers(
    ({ to, data }) => to === GAS_PRICE_ORACLE && data.startsWith(GET_L1_FEE),
    () => `0x${word(wei)}`,
  );

describe('F42 a plan that stands on the word of one endpoint', { timeout: 60_000 }, () => {
  it.each<[string, string, () => Lie]>([
    ['a native price that is far too low', 'nativePriceUsd8', () => nativePrice(1_000_000n)],
    [
      'a native price that is a little too high',
      'nativePriceUsd8',
      () => nativePrice(context.nativePriceUsd8 + 1n),
    ],
    [
      'that the feed gives no native price',
      'nativePriceUsd8',
      () =>
        contractAnswers(
          ({ data }) => data === LATEST_ROUND_DATA,
          () => '0x',
        ),
    ],
    ['a profit', 'profit', () => profit((value) => value * 2n)],
    ['that there is no profit', 'profit', () => profit(() => 0n)],
    ['a gas of the simulation', 'gasUsed', () => simulatedCalls(() => ({ gasUsed: hex(21_000) }))],
    ['a data fee of nothing', 'l1Fee', () => l1Fee(0n)],
    ['a data fee of half an ether', 'l1Fee', () => l1Fee(5n * 10n ** 17n)],
    ['a revert', 'revert', () => simulatedCalls(() => ({ status: '0x0', returnData: '0x6d1a9eb5' }))],
  ])(
    'is refused when that endpoint invents %s, and is made when it tells the truth',
    async (_, about, lie) => {
      primary.lie = lie();
      const lies = primary.lies;
      expect(await decide()).toMatchObject({ reason: 'endpoints-disagree', detail: { about } });
      expect(primary.lies).toBeGreaterThan(lies);
      primary.repent();
      expect(await decide()).toMatchObject({ kind: 'planned' });
    },
  );

  it.each<[string, () => Record<string, string>]>([
    ['a base fee', () => ({ baseFeePerGas: hex(1) })],
    ['a time of the block', () => ({ timestamp: hex(context.block.timestamp + 5) })],
  ])('waits when that endpoint invents %s, which the hash of the block denies', async (_, fields) => {
    primary.lie = fieldsOf(HEADERS, fields);
    expect(await decide()).toMatchObject({
      reason: 'second-endpoint-unavailable',
      detail: { message: expect.stringContaining('the hash of the header') as string },
    });
    primary.repent();
    expect(await decide()).toMatchObject({ kind: 'planned' });
  });

  it('waits while the second endpoint does not answer, and is made when it does', async () => {
    primary.swallow = ({ method }) =>
      method === 'eth_simulateV1' ? { error: { code: -32603, message: 'internal error' } } : undefined;
    expect(await decide()).toMatchObject({
      reason: 'second-endpoint-unavailable',
      detail: { message: expect.stringMatching(/^primary: /) as string },
    });
    primary.repent();
    expect(await decide()).toMatchObject({ kind: 'planned' });
  });

  it('is made in a dry run, which sends nothing, and an event tells of it', async () => {
    primary.swallow = ({ method }) =>
      method === 'eth_simulateV1' ? { error: { code: -32603, message: 'internal error' } } : undefined;
    const events = new RecordedEvents();
    expect(await decide('dry-run', events)).toMatchObject({ kind: 'planned' });
    expect(events.named('second-opinion-unavailable')).toMatchObject([{ block: context.block.number }]);
  });
});
