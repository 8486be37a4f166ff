/**
 * The market on which gas is measured: borrowers under water on every protocol, and balances as on a chain in
 * use.
 */
import { Contract, MaxUint256, type Interface } from 'ethers';
import { startDevnet, type Devnet, type TokenSymbol } from '../../devnet/index.js';
import { liquidateCall } from '../../src/contract/contract.js';
import { packPlan, type DebtLook, type Liquidation, type Step } from '../../src/contract/plan.js';
import type { Hex } from '../../src/domain/hex.js';
import { hex } from './hex.js';
import { Meter } from './meter.js';

const USD8 = 10n ** 8n;
const ETHER = 10n ** 18n;
export const DEADLINE = 10n ** 11n;

/** USDC units: half of what each borrower of USDC owes, which is the close factor. */
export const HALF_DEBT = 12_000n * 10n ** 6n;

/** USDC units: more than a rival leaves who was first, less than each borrower owes. */
const LEAST_DEBT = 20_000n * 10n ** 6n;
/** Morpho Blue starts a market with a million shares for each unit (SharesMathLib.VIRTUAL_SHARES). */
const MORPHO_SHARES = 10n ** 6n;

export interface Borrowers {
  /** Eight equal positions: WETH as collateral, USDC as debt. */
  readonly aave: readonly string[];
  /** cbETH as collateral, USDC as debt: there is no direct pool, so the plan takes two hops. */
  readonly aaveTwoHops: readonly string[];
  readonly compound: string;
  readonly compoundNative: string;
  readonly morpho: string;
}

export class GasMarket {
  private constructor(
    readonly devnet: Devnet,
    readonly meter: Meter,
    readonly borrowers: Borrowers,
    /**
     * Holds debt tokens and no collateral, and has approved every market: it liquidates without a contract.
     */
    readonly holder: string,
  ) {}

  static async start(onProgress: (step: string) => void): Promise<GasMarket> {
    const devnet = await startDevnet({ onProgress });
    try {
      onProgress('opening positions');
      const borrowers = await openPositions(devnet);
      const market = new GasMarket(devnet, new Meter(devnet), borrowers, devnet.accounts.trader);
      await market.fundHolder();
      await devnet.setPrices({ WETH: 2_850n * USD8, cbETH: 3_100n * USD8 });
      await market.warmUp();
      // Every market accrues a minute of interest, as a market in production has some to accrue. Without it
      // the gas would depend on the speed of the machine.
      await devnet.increaseTime(60);
      return market;
    } catch (error) {
      await devnet.stop();
      throw error;
    }
  }

  token(symbol: TokenSymbol): Hex {
    return hex(this.devnet.tokens[symbol].address);
  }

  /** Calldata of a plan for a borrower of USDC. */
  plan(borrower: string, steps: readonly Step[], changes: Partial<Liquidation> = {}): Hex {
    return liquidateCall(packPlan({ deadline: DEADLINE }, this.liquidation(borrower, steps, changes)));
  }

  liquidation(borrower: string, steps: readonly Step[], changes: Partial<Liquidation> = {}): Liquidation {
    return {
      market: hex(this.devnet.addresses.pool),
      borrower: hex(borrower),
      tokens: { collateral: this.token('WETH'), debt: this.token('USDC') },
      profitIn: 'collateral',
      minProfit: 1n,
      look: this.looks.aave,
      steps,
      ...changes,
    };
  }

  /** As the bot plans: the debt is looked at before anything else. */
  get looks(): Readonly<Record<'aave' | 'compound' | 'morpho', DebtLook>> {
    const { tokens, addresses } = this.devnet;
    return {
      aave: { debtToken: hex(tokens.USDC.variableDebtToken), least: LEAST_DEBT },
      compound: { debtToken: hex(addresses.mTokens.USDC), least: LEAST_DEBT },
      morpho: {
        marketId: hex(this.devnet.morphoMarket('WETH', 'USDC').id),
        least: LEAST_DEBT * MORPHO_SHARES,
      },
    };
  }

  private async fundHolder(): Promise<void> {
    const { accounts, addresses } = this.devnet;
    const usdc = this.devnet.token('USDC');
    await this.send(accounts.deployer, usdc, 'mint', [this.holder, 10n * HALF_DEBT]);
    for (const spender of [addresses.pool, addresses.mTokens.USDC, addresses.morpho])
      await this.send(this.holder, usdc, 'approve', [spender, MaxUint256]);
    // The treasury lends its own tokens in one of the paths.
    await this.send(accounts.deployer, usdc, 'mint', [accounts.treasury, 10n * HALF_DEBT]);
    await this.send(accounts.treasury, usdc, 'approve', [addresses.chimera, MaxUint256]);
  }

  /**
   * One liquidation of each pair: on a chain in use the treasury and the protocol's collector hold some of
   * each token, and the pools have traded before.
   */
  private async warmUp(): Promise<void> {
    const [first = ''] = this.borrowers.aave;
    const [twoHops = ''] = this.borrowers.aaveTwoHops;
    const { operator } = this.devnet.accounts;
    const to = this.devnet.addresses.chimera;
    const liquidate: Step = { kind: 'liquidate' };
    const direct: Step = {
      kind: 'buy',
      amountOut: HALF_DEBT,
      pool: { tokenIn: 'collateral', parameter: 500 },
    };
    await this.meter.send({ from: operator, to, data: this.plan(first, [direct, liquidate]) });
    const viaWeth: Step[] = [
      { kind: 'buy', amountOut: HALF_DEBT, pool: { tokenIn: 'native', parameter: 500 } },
      { kind: 'buy-on', pool: { tokenIn: 'collateral', parameter: 500 } },
      liquidate,
    ];
    const tokens = { collateral: this.token('cbETH'), debt: this.token('USDC') };
    await this.meter.send({ from: operator, to, data: this.plan(twoHops, viaWeth, { tokens }) });
  }

  private async send(
    from: string,
    contract: Contract,
    method: string,
    args: readonly unknown[],
  ): Promise<void> {
    const abi: Interface = contract.interface;
    const to = await contract.getAddress();
    await this.meter.send({ from, to, data: hex(abi.encodeFunctionData(method, [...args])) });
  }
}

async function openPositions(devnet: Devnet): Promise<Borrowers> {
  const weth = { symbol: 'WETH', amount: 10n * ETHER } as const;
  const debt = { symbol: 'USDC', amount: 2n * HALF_DEBT } as const;
  const aave = await devnet.openPositions(
    Array.from({ length: 8 }, () => ({ collaterals: [weth], debts: [debt] })),
  );
  const cbEth = { symbol: 'cbETH', amount: 96n * 10n ** 17n } as const;
  const aaveTwoHops = await devnet.openPositions(
    Array.from({ length: 2 }, () => ({ collaterals: [cbEth], debts: [debt] })),
  );
  const compound = await devnet.openCompoundPosition({ collateral: weth, debt });
  const native = { symbol: 'native', amount: 10n * ETHER } as const;
  const compoundNative = await devnet.openCompoundPosition({ collateral: native, debt });
  const morpho = await devnet.openMorphoPosition({
    market: devnet.morphoMarket('WETH', 'USDC'),
    collateral: 10n * ETHER,
    debt: 25_000n * 10n ** 6n,
  });
  return { aave, aaveTwoHops, compound, compoundNative, morpho };
}
