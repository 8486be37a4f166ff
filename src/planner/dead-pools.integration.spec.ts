import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialPrices, startDevnet, type Devnet, type PositionRequest } from '../../devnet/index.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts } from '../../testing/aave-state.js';
import { configOf } from '../../testing/devnet-config.js';
import { eventually } from '../../testing/eventually.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { FakeRpc, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import { sendFrom } from '../../testing/transactions.js';
import { OpportunityDetector } from '../detector/opportunity-detector.js';
import type { PlanDecision } from '../domain/decision.js';
import { toAddress } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { Secret } from '../domain/secret.js';
import { UniswapV3Venue } from '../liquidity/uniswap-v3/uniswap-v3.venue.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import { ExecutionPlanner } from './execution-planner.js';

/** What geth spends on one eth_call. */
const GAS_CAP = 50_000_000;
/** 10 WETH of collateral for 23,500 USDC: health factor 1.06 at $3,000. */
const long: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 10n * 10n ** 18n }],
  debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
};

let devnet: Devnet;
let node: FakeRpc;
let pool: RpcPool;
let chain: Chain;
let borrowers: string[];

beforeAll(async () => {
  devnet = await startDevnet();
  node = await FakeRpc.start();
  node.forwardTo(devnet.rpcUrl);
  node.on('eth_call', async ([call, at]) => {
    const capped = { ...(call as object), gas: `0x${GAS_CAP.toString(16)}` };
    return devnet.rpc('eth_call', [capped, at]).catch(() => new NodeRefusal(-32000, 'out of gas'));
  });
  pool = new RpcPool({
    chainId: devnet.chainId,
    primary: { http: new Secret(node.url('http')) },
    timings: { deadlineMs: 30_000 },
  });
  chain = new Chain(pool);
  borrowers = await devnet.openPositions([long, long, long]);
});

afterAll(async () => {
  pool.close();
  await node.stop();
  await devnet.stop();
});

/** A pool of the 0.01 % tier without any liquidity, at this price. */
async function openEmptyPool(sqrtPriceX96: bigint): Promise<void> {
  const [a, b] = [devnet.tokens.WETH.address, devnet.tokens.USDC.address];
  const [token0, token1] = a.toLowerCase() < b.toLowerCase() ? [a, b] : [b, a];
  const { positionManager } = devnet.contracts;
  const data = positionManager.interface.encodeFunctionData('createAndInitializePoolIfNecessary', [
    token0,
    token1,
    100,
    sqrtPriceX96,
  ]);
  const factory = devnet.contracts.uniswapFactory;
  await sendFrom(devnet, devnet.accounts.deployer, {
    to: await factory.getAddress(),
    data: factory.interface.encodeFunctionData('enableFeeAmount', [100, 1]),
  });
  const hash = await devnet.rpc('eth_sendTransaction', [
    { from: devnet.accounts.deployer, to: await positionManager.getAddress(), data, gas: '0x989680' },
  ]);
  await eventually(
    async () => (await devnet.rpc('eth_getTransactionReceipt', [hash])) !== null,
    'the empty pool',
  );
}

async function decide(venue: UniswapV3Venue): Promise<PlanDecision[]> {
  const config = configOf(devnet);
  const { market, feeds, ...parts } = aaveParts(chain, config, LIQUIDATABLE);
  const view = await viewOfAccounts({ market, feeds, ...parts }, chain, borrowers);
  const detector = new OpportunityDetector(
    { all: [market] },
    feeds,
    new PriceGuard(config),
    configOf(devnet, { minProfitUsd: '0' }),
  );
  const opportunities = detector
    .detect(view, 10n ** 9n * USD8)
    .flatMap((detection) => (detection.kind === 'opportunity' ? [detection.opportunity] : []));
  const planner = new ExecutionPlanner(chain, venue, new OpStackFees(), new RecordedEvents(), config);
  return planner.plan(opportunities, {
    block: view.block,
    nativePriceUsd8: view.of(feeds).native?.answer ?? 0n,
    operator: toAddress(devnet.accounts.operator),
    pending: [],
    allowance: anAllowance(),
  });
}

describe('an empty pool of the 0.01 % tier', () => {
  it('F47 it does not blind the planner: positions are planned, and the pool is left alone for a minute', async () => {
    // WETH costs next to nothing in this pool, or next to everything: a quote walks half of all ticks.
    await openEmptyPool(2n ** 96n);
    await devnet.setPrices({ ...initialPrices(), WETH: 2_700n * USD8 });
    const clock = new TestClock();
    const venue = new UniswapV3Venue(chain, configOf(devnet).liquidity.uniswapV3, clock);
    const pairs = [[toAddress(devnet.tokens.WETH.address), toAddress(devnet.tokens.USDC.address)] as const];
    const poolsNow = async (): Promise<number> => {
      const { hash } = await chain.getBlock('latest');
      return (await venue.pools(pairs, hash)).length;
    };
    const withDeadPool = await poolsNow();

    const first = await decide(venue);
    expect(first.filter(({ kind }) => kind === 'planned')).toHaveLength(3);
    expect(await poolsNow()).toBe(withDeadPool - 1);

    node.seen.length = 0;
    const second = await decide(venue);
    expect(second.filter(({ kind }) => kind === 'planned')).toHaveLength(3);

    clock.advance(60_000);
    expect(await poolsNow()).toBe(withDeadPool);
  });
});
