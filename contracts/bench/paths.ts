/** The ways to liquidate whose gas is measured. */
import { Contract } from 'ethers';
import type { Hex } from '../../src/domain/hex.js';
import { liquidateCall } from '../../src/contract/contract.js';
import { packBatch, packPlan, type Step } from '../../src/contract/plan.js';
import { hex } from './hex.js';
import { DEADLINE, HALF_DEBT, type GasMarket } from './market.js';
import type { Request } from './meter.js';

export interface GasPath {
  readonly name: string;
  /** One transaction, or several whose gas is summed up. */
  readonly requests: readonly Request[];
  /** Sent before them, and not counted. */
  readonly first?: readonly Request[];
  /** The path to compare with. */
  readonly baseline?: string;
  /** The ratio to the baseline must not be above this. */
  readonly maxRatio?: number;
  /** The gas must not be more than this. */
  readonly maxGas?: number;
  /** The gas must not be above that of another path by more than this. */
  readonly maxMore?: { readonly than: string; readonly gas: number };
  /** Bytes of calldata must not be more than this. */
  readonly maxCalldataBytes?: number;
}

/** What a run may cost that finds the debt gone. */
const LOST_RACE_GAS = 60_000;
/** What the look at the debt may cost a run that goes on. */
const LOOK_GAS = 3_000;

const LIQUIDATE: Step = { kind: 'liquidate' };
const BATCH_SIZE = 5;
/** More gas than one liquidation of the batch needs. */
const BATCH_ITEM_GAS = 1_000_000n;

/** The pool of collateral and debt, by its fee. */
const buy = (amountOut: bigint): Step => ({
  kind: 'buy',
  amountOut,
  pool: { tokenIn: 'collateral', parameter: 500 },
});
/** All of the seized collateral is sold: the profit is in the debt token. */
const sellAll: Step = {
  kind: 'sell',
  shareBps: 10_000,
  tokenOut: 'debt',
  pool: { tokenIn: 'collateral', parameter: 500 },
};

/** All paths, in the order of the report. */
export function gasPaths(market: GasMarket): GasPath[] {
  return [...aavePaths(market), ...batchPaths(market), ...compoundPaths(market), ...morphoPaths(market)];
}

function aavePaths(market: GasMarket): GasPath[] {
  const { addresses, tokens } = market.devnet;
  const [, borrower = ''] = market.borrowers.aave;
  const [, twoHops = ''] = market.borrowers.aaveTwoHops;
  const cbEth = { collateral: market.token('cbETH'), debt: market.token('USDC') };
  const ids = { collateralId: tokens.WETH.reserveId, debtId: tokens.USDC.reserveId };
  const funded = (fund: Step): Hex => market.plan(borrower, [fund, LIQUIDATE, sellAll], { profitIn: 'debt' });
  const loan = (lender: string): Step => ({ kind: 'loan', lender: hex(lender), amount: HALF_DEBT });
  const oneHop = [buy(HALF_DEBT), LIQUIDATE];
  const ours = (name: string, data: Hex, more: Partial<GasPath> = {}): GasPath => ({
    name,
    requests: [fromOperator(market, data)],
    baseline: 'aave.bare',
    ...more,
  });
  return [
    bare(market, 'aave.bare', bareAave(market, borrower, 'WETH')),
    bare(market, 'aave.bare.cbETH', bareAave(market, twoHops, 'cbETH')),
    ours('aave.flash-swap.1-hop', market.plan(borrower, oneHop), {
      maxRatio: 1.25,
      maxMore: { than: 'aave.flash-swap.1-hop.no-look', gas: LOOK_GAS },
      maxCalldataBytes: 260,
    }),
    ours('aave.flash-swap.1-hop.no-look', withoutLook(market, borrower, oneHop)),
    lostRace(market, 'aave', bareAave(market, borrower, 'WETH'), market.plan(borrower, oneHop)),
    ours('aave.flash-swap.1-hop.by-reserve-id', market.plan(borrower, oneHop, { tokens: ids })),
    ours(
      'aave.flash-swap.2-hop',
      market.plan(
        twoHops,
        [
          { kind: 'buy', amountOut: HALF_DEBT, pool: { tokenIn: 'native', parameter: 500 } },
          { kind: 'buy-on', pool: { tokenIn: 'collateral', parameter: 500 } },
          LIQUIDATE,
        ],
        { tokens: cbEth },
      ),
      { baseline: 'aave.bare.cbETH' },
    ),
    ours(
      'aave.flash-swap.split',
      market.plan(borrower, [
        { kind: 'buy', amountOut: HALF_DEBT / 2n, pool: { tokenIn: 'collateral', parameter: 500 } },
        { kind: 'buy', amountOut: HALF_DEBT / 2n, pool: { tokenIn: 'collateral', parameter: 3000 } },
        LIQUIDATE,
      ]),
    ),
    ours('aave.morpho-flash.swap', funded(loan(addresses.morpho))),
    ours('aave.aave-flash.swap', funded(loan(addresses.pool))),
    ours('aave.balancer-flash.swap', funded(loan(addresses.balancerVault))),
    ours('aave.inventory.swap', funded({ kind: 'inventory', amount: HALF_DEBT })),
  ];
}

function batchPaths(market: GasMarket): GasPath[] {
  const borrowers = market.borrowers.aave.slice(1, 1 + BATCH_SIZE);
  const liquidations = borrowers.map((borrower) => market.liquidation(borrower, [buy(HALF_DEBT), LIQUIDATE]));
  const batch = packBatch(
    { deadline: DEADLINE },
    liquidations.map((liquidation) => ({ liquidation, gasLimit: BATCH_ITEM_GAS })),
  );
  return [
    {
      name: `aave.singles-${BATCH_SIZE}`,
      requests: borrowers.map((borrower) =>
        fromOperator(market, market.plan(borrower, [buy(HALF_DEBT), LIQUIDATE])),
      ),
    },
    {
      name: `aave.batch-${BATCH_SIZE}`,
      requests: [fromOperator(market, liquidateCall(batch, 'liquidateBatch'))],
      baseline: `aave.singles-${BATCH_SIZE}`,
      maxRatio: 0.93,
    },
  ];
}

function compoundPaths(market: GasMarket): GasPath[] {
  const { mTokens, mNative, comptroller } = market.devnet.addresses;
  const path = (name: string, borrower: string, collateralMToken: string): GasPath[] => {
    const abi = new Contract(mTokens.USDC, [
      'function liquidateBorrow(address borrower, uint256 repayAmount, address mTokenCollateral) returns (uint256)',
    ]).interface;
    const data = abi.encodeFunctionData('liquidateBorrow', [borrower, HALF_DEBT, collateralMToken]);
    const steps: Step[] = [
      buy(HALF_DEBT),
      {
        kind: 'liquidate-compound',
        debtMToken: hex(mTokens.USDC),
        collateralMToken: hex(collateralMToken),
      },
    ];
    const plan = market.plan(borrower, steps, { market: hex(comptroller), look: market.looks.compound });
    const rival = { to: mTokens.USDC, data: hex(data) };
    return [
      bare(market, `${name}.bare`, rival),
      {
        name: `${name}.flash-swap.1-hop`,
        requests: [fromOperator(market, plan)],
        baseline: `${name}.bare`,
      },
      lostRace(market, name, rival, plan),
    ];
  };
  return [
    ...path('compound', market.borrowers.compound, mTokens.WETH),
    ...path('compound-native', market.borrowers.compoundNative, mNative),
  ];
}

function morphoPaths(market: GasMarket): GasPath[] {
  const { morpho } = market.devnet.addresses;
  const borrower = market.borrowers.morpho;
  const { params } = market.devnet.morphoMarket('WETH', 'USDC');
  // A third of the collateral: there is no close factor.
  const amount = 3n * 10n ** 18n;
  const data = market.devnet.contracts.morpho.interface.encodeFunctionData('liquidate', [
    params,
    borrower,
    amount,
    0n,
    '0x',
  ]);
  const liquidate: Step = {
    kind: 'liquidate-morpho',
    oracle: hex(params.oracle),
    irm: hex(params.irm),
    lltv: params.lltv,
    amount,
    unit: 'collateral',
    callback: true,
  };
  const look = market.looks.morpho;
  const plan = market.plan(borrower, [liquidate, sellAll], { market: hex(morpho), profitIn: 'debt', look });
  const rival = { to: morpho, data: hex(data) };
  return [
    bare(market, 'morpho.bare', rival),
    { name: 'morpho.callback.swap', requests: [fromOperator(market, plan)], baseline: 'morpho.bare' },
    lostRace(market, 'morpho', rival, plan),
  ];
}

function bareAave(
  market: GasMarket,
  borrower: string,
  collateral: 'WETH' | 'cbETH',
): Pick<Request, 'to' | 'data'> {
  const data = market.devnet.contracts.aavePool.interface.encodeFunctionData('liquidationCall', [
    market.token(collateral),
    market.token('USDC'),
    borrower,
    HALF_DEBT,
    false,
  ]);
  return { to: market.devnet.addresses.pool, data: hex(data) };
}

/** The account that holds debt tokens calls the market itself. */
function bare(market: GasMarket, name: string, request: Pick<Request, 'to' | 'data'>): GasPath {
  return { name, requests: [{ from: market.holder, ...request }] };
}

/** A rival has just taken what the close factor allows: half of the debt is left, but the plan is late. */
function lostRace(market: GasMarket, name: string, rival: Pick<Request, 'to' | 'data'>, plan: Hex): GasPath {
  return {
    name: `${name}.lost-race`,
    first: [{ from: market.holder, ...rival }],
    requests: [{ ...fromOperator(market, plan), error: 'NothingToLiquidate' }],
    maxGas: LOST_RACE_GAS,
  };
}

function withoutLook(market: GasMarket, borrower: string, steps: readonly Step[]): Hex {
  const { look: _, ...liquidation } = market.liquidation(borrower, steps);
  return liquidateCall(packPlan({ deadline: DEADLINE }, liquidation));
}

function fromOperator({ devnet }: GasMarket, data: Hex): Request {
  return { from: devnet.accounts.operator, to: devnet.addresses.chimera, data };
}
