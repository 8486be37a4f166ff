import { describe, expect, it } from 'vitest';
import type { Devnet, MorphoMarket } from '../../devnet/index.js';
import { onCleanChain } from '../../testing/clean-chain.js';
import { configOf } from '../../testing/devnet-config.js';
import { executeCall } from '../../testing/execute-plan.js';
import { poolsAt } from '../../testing/pools.js';
import { liquidateCall } from '../contract/contract.js';
import { packPlan, type Step } from '../contract/plan.js';
import { isHash, toAddress } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { Chain } from '../rpc/chain/chain.js';
import { Router } from '../routes/router.js';
import { saleSteps } from './steps.js';

const ETHER = 10n ** 18n;
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;

let devnet: Devnet;
let chain: Chain;

onCleanChain((started) => ({ devnet, chain } = started));

/** The step that seizes so much collateral, and gets it before the debt is due. */
const seizing = ({ params: { oracle, irm, lltv } }: MorphoMarket, amount: bigint): Step => ({
  ...{ kind: 'liquidate-morpho', oracle: toAddress(oracle), irm: toAddress(irm), lltv },
  ...{ amount, unit: 'collateral', callback: true },
});

describe('a liquidation that needs no funding, on the real Morpho Blue', { timeout: 60_000 }, () => {
  it('sells in the callback along the route that was computed, and keeps debt tokens to the unit', async () => {
    const market = devnet.morphoMarket('WETH', 'USDC');
    const opened = await devnet.openMorphoPosition({ market, collateral: 10n * ETHER, debt: usdc(25_000) });
    await devnet.setPrice('WETH', 2_900n * USD8);
    const { chimera } = configOf(devnet).execution;
    const [morpho, borrower] = [toAddress(devnet.addresses.morpho), toAddress(opened)];
    const tokens = {
      collateral: toAddress(market.params.collateralToken),
      debt: toAddress(market.params.loanToken),
    };
    if (!isHash(market.id)) throw new Error('the id of a market is a hash');

    const block = await chain.getBlock('latest');
    const { pools } = await poolsAt(devnet, chain, configOf(devnet), block.hash);
    const amount = 3n * ETHER;
    const exit = Router.of(pools.values()).bestExactIn(tokens.collateral, tokens.debt, amount);
    if (!exit) throw new Error('WETH can be sold for USDC');
    const steps = saleSteps(undefined, exit.route, exit.sharesBps, tokens, seizing(market, amount));
    const look = { marketId: market.id, least: 1n };
    const plan = packPlan(
      { deadline: BigInt(block.timestamp + 60) },
      { market: morpho, borrower, tokens, profitIn: 'debt', minProfit: usdc(1), look, steps },
    );
    const [event] = await executeCall(devnet, { to: chimera, data: liquidateCall(plan) });

    expect(event).toMatchObject({
      ...{ market: morpho, borrower, collateralAsset: tokens.collateral, debtAsset: tokens.debt },
      ...{ collateralSeized: amount, profitToken: tokens.debt },
    });
    // No lender has a part of it.
    expect(event?.profit).toBe(exit.amountOut - (event?.debtCovered ?? 0n));
    expect(event?.profit).toBeGreaterThan(usdc(100));
  });
});
