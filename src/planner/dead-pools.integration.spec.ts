import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  initialPrices,
  startDevnet,
  type Devnet,
  type PositionRequest,
  type TokenSymbol,
} from '../../devnet/index.js';
import { anAllowance } from '../../testing/builders/allowance.js';
import { aaveParts, LIQUIDATABLE, viewOfAccounts } from '../../testing/aave-state.js';
import { configOf } from '../../testing/devnet-config.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { opportunitiesIn } from '../../testing/opportunities.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { FakeRpc, NodeRefusal } from '../../testing/nodes/fake-rpc.js';
import { endow, send } from '../../testing/send.js';
import { faultBegins } from '../../testing/fault-times.js';
import type { PlanDecision } from '../domain/decision.js';
import { toAddress } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { Secret } from '../domain/secret.js';
import { UniswapV3Venue } from '../liquidity/uniswap-v3/uniswap-v3.venue.js';
import { Chain } from '../rpc/chain/chain.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { OpStackFees } from '../rpc/fees/op-stack-fees.js';
import { ExecutionPlanner } from './execution-planner.js';

/** What geth spends on one eth_call. */
const GAS_CAP = 50_000_000;
/** A node that spends less than one walk over all ticks of a pool costs. */
const LOW_GAS_CAP = 8_000_000;
const ETHER = 10n ** 18n;
type MintableSymbol = Exclude<TokenSymbol, 'WETH'>;
/** 10 WETH of collateral for 23,500 USDC: health factor 1.06 at $3,000. */
const long: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 10n * ETHER }],
  debts: [{ symbol: 'USDC', amount: 23_500n * 10n ** 6n }],
};
/** Below 1 when cbETH costs $2,900 and cbBTC $84,000. No pool but the near-empty one trades the first. */
const THREE: readonly PositionRequest[] = [
  {
    collaterals: [{ symbol: 'cbETH', amount: 10n * ETHER }],
    debts: [{ symbol: 'cbBTC', amount: 27_500_000n }],
  },
  {
    collaterals: [{ symbol: 'cbETH', amount: 10n * ETHER }],
    debts: [{ symbol: 'USDC', amount: 24_700n * 10n ** 6n }],
  },
  {
    collaterals: [{ symbol: 'cbBTC', amount: 100_000_000n }],
    debts: [{ symbol: 'USDC', amount: 66_000n * 10n ** 6n }],
  },
];

let devnet: Devnet;
let node: FakeRpc;
let pool: RpcPool;
let chain: Chain;
let borrowers: string[];
let gasCap = GAS_CAP;
let clean: string;

beforeAll(async () => {
  devnet = await startDevnet();
  node = await FakeRpc.start();
  node.forwardTo(devnet.rpcUrl);
  node.on('eth_call', async ([call, at]) => {
    const capped = { ...(call as object), gas: `0x${gasCap.toString(16)}` };
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

beforeEach(async () => {
  clean = await devnet.snapshot();
});

afterEach(async () => {
  gasCap = GAS_CAP;
  await devnet.revert(clean);
});

interface NewPool {
  readonly token0: string;
  readonly token1: string;
  readonly fee: number;
}

/** A pool of the 0.01 % tier without any liquidity, at this price. */
async function openEmptyPool(
  a: TokenSymbol,
  b: TokenSymbol,
  priceOf: (aIsToken0: boolean) => bigint,
): Promise<NewPool> {
  const [addressA, addressB] = [devnet.tokens[a].address, devnet.tokens[b].address];
  const aIsToken0 = addressA.toLowerCase() < addressB.toLowerCase();
  const [token0, token1] = aIsToken0 ? [addressA, addressB] : [addressB, addressA];
  const { positionManager, uniswapFactory } = devnet.contracts;
  const { deployer } = devnet.accounts;
  const spacing: unknown = await uniswapFactory.getFunction('feeAmountTickSpacing')(100);
  if (spacing === 0n) await send(devnet, deployer, uniswapFactory, 'enableFeeAmount', 100, 1);
  const pool = [token0, token1, 100, priceOf(aIsToken0)];
  await send(devnet, deployer, positionManager, 'createAndInitializePoolIfNecessary', ...pool);
  return { token0, token1, fee: 100 };
}

/**
 * A pool in which the collateral seems to be worth everything there is. A thousand units of the debt are at
 * the other end of its ticks, and the quote walks there.
 */
async function openNearEmptyPool(collateral: MintableSymbol, debt: MintableSymbol): Promise<void> {
  const pool = await openEmptyPool(collateral, debt, (falling) => (falling ? 2n ** 158n : 2n ** 34n));
  const fallingPrice = pool.token0 === devnet.tokens[collateral].address;
  const { deployer } = devnet.accounts;
  const { positionManager } = devnet.contracts;
  await endow(devnet, deployer, debt, 1_000n, await positionManager.getAddress());
  const [tickLower, tickUpper] = fallingPrice ? [-887_000, -886_000] : [886_000, 887_000];
  await send(devnet, deployer, positionManager, 'mint', {
    ...pool,
    ...{ tickLower, tickUpper, amount0Min: 0n, amount1Min: 0n, recipient: deployer },
    amount0Desired: fallingPrice ? 0n : 1_000n,
    amount1Desired: fallingPrice ? 1_000n : 0n,
    deadline: 2n ** 40n,
  });
  expect(await gasOfWalk(pool, fallingPrice)).toBeGreaterThan(LOW_GAS_CAP);
}

/** What a quote over all ticks of a pool costs. */
async function gasOfWalk({ token0, token1, fee }: NewPool, fallingPrice: boolean): Promise<number> {
  const [tokenIn, tokenOut] = fallingPrice ? [token0, token1] : [token1, token0];
  const quote = devnet.contracts.quoter.getFunction('quoteExactInputSingle');
  const amountIn = 1n << 120n;
  const params = { tokenIn, tokenOut, amountIn, fee, sqrtPriceLimitX96: 0n };
  const [, , , gas] = (await quote.staticCall(params, { gasLimit: 500_000_000n })) as bigint[];
  return Number(gas);
}

async function decide(venue: UniswapV3Venue, of = borrowers): Promise<PlanDecision[]> {
  const config = configOf(devnet);
  const parts = aaveParts(chain, config, LIQUIDATABLE);
  const view = await viewOfAccounts(parts, chain, of);
  const opportunities = opportunitiesIn(view, parts, configOf(devnet, { minProfitUsd: '0' }));
  const planner = new ExecutionPlanner(chain, venue, new OpStackFees(), new RecordedEvents(), config);
  return planner.plan(opportunities, {
    block: view.block,
    nativePriceUsd8: view.of(parts.feeds).native?.answer ?? 0n,
    operator: toAddress(devnet.accounts.operator),
    pending: [],
    marketNativePricesUsd8: [],
    allowance: anAllowance(),
  });
}

describe('an empty pool of the 0.01 % tier', () => {
  it('F47 it does not blind the planner: positions are planned, and the pool is left alone for a minute', async () => {
    // WETH costs next to nothing in this pool, or next to everything: a quote walks half of all ticks.
    await openEmptyPool('WETH', 'USDC', () => 2n ** 96n);
    await devnet.setPrices({ ...initialPrices(), WETH: 2_700n * USD8 });
    const clock = new TestClock();
    const venue = new UniswapV3Venue(chain, configOf(devnet).liquidity.uniswapV3, clock);
    const pairs = [[toAddress(devnet.tokens.WETH.address), toAddress(devnet.tokens.USDC.address)] as const];
    const poolsNow = async (): Promise<number> => {
      const { hash } = await chain.getBlock('latest');
      return (await venue.pools(pairs, hash)).length;
    };
    const withDeadPool = await poolsNow();

    const fault = faultBegins();
    const first = await decide(venue);
    expect(first.filter(({ kind }) => kind === 'planned')).toHaveLength(3);
    expect(await poolsNow()).toBe(withDeadPool - 1);
    fault.detected();

    node.seen.length = 0;
    const second = await decide(venue);
    expect(second.filter(({ kind }) => kind === 'planned')).toHaveLength(3);

    clock.advance(60_000);
    expect(await poolsNow()).toBe(withDeadPool);
  });
});

describe('three positions with a near-empty pool of the 0.01 % tier each', () => {
  it('F47 each quote costs more than an eth_call may spend: all others are planned in the same pass, and those of the three for which another tier pays', async () => {
    const [stuck, ...others] = await devnet.openPositions(THREE);
    await openNearEmptyPool('cbETH', 'cbBTC');
    await openNearEmptyPool('cbETH', 'USDC');
    await openNearEmptyPool('cbBTC', 'USDC');
    const fallen = { WETH: 2_700n * USD8, cbETH: 2_900n * USD8, cbBTC: 84_000n * USD8 };
    await devnet.setPrices({ ...initialPrices(), ...fallen });
    const all = [...borrowers, stuck ?? '', ...others];
    gasCap = LOW_GAS_CAP;
    const venue = new UniswapV3Venue(chain, configOf(devnet).liquidity.uniswapV3, new TestClock());

    for (const pass of ['first', 'second']) {
      const decisions = await decide(venue, all);
      const planned = decisions.flatMap((one) => (one.kind === 'planned' ? [one.plan.borrower] : []));
      expect([pass, planned.toSorted()]).toEqual([pass, [...borrowers, ...others].map(toAddress).toSorted()]);
      expect(decisions.find(({ kind }) => kind === 'rejected')).toMatchObject({
        opportunity: { borrower: toAddress(stuck ?? '') },
      });
    }
  });
});
