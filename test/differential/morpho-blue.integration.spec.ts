import { AbiCoder, concat, keccak256, MaxUint256, type Interface } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import type { Block } from '../../src/domain/block.js';
import { toAddress, uintAt, uintWord, type Address, type Hash, type Hex } from '../../src/domain/hex.js';
import { max, min, mulDivCeil, mulDivFloor, WAD } from '../../src/domain/money.js';
import { healthOf, isLiquidatable } from '../../src/protocols/morpho-blue/health.js';
import {
  liquidationResult,
  type LiquidationAmount,
  type LiquidationResult,
} from '../../src/protocols/morpho-blue/liquidation.js';
import {
  accrued,
  marketIdOf,
  type BlueMarket,
  type BluePosition,
  type MarketTotals,
  type RateModel,
} from '../../src/protocols/morpho-blue/market.js';
import { toAssetsUp } from '../../src/protocols/morpho-blue/math.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import type { AccountOverride, SimulatedCall } from '../../src/rpc/chain/simulate.js';
import type { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';
import { chainOf } from '../../testing/chain.js';
import { Random } from '../../testing/random.js';
import { sendFrom } from '../../testing/transactions.js';

/** Repeat a failing run with its seed: DIFFERENTIAL_SEED=… npx vitest run test/differential */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000);
/** How many random markets and positions; thousands take a minute. */
const CASES = Number(process.env['DIFFERENTIAL_CASES'] ?? 400);
/** Cases that are simulated at a time. */
const AT_ONCE = 8;

const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000';
const BORROWER: Address = '0x00000000000000000000000000000000000b0770';
/** Another rate model and an oracle: their code answers one number to everything. */
const OTHER_IRM: Address = '0x0000000000000000000000000000000000001a7e';
const ORACLE: Address = '0x0000000000000000000000000000000000000a1c';
const LLTVS = [0n, 385n, 625n, 770n, 860n, 915n, 945n, 965n, 980n].map(
  (thousandths) => thousandths * 10n ** 15n,
);
const IS_HEALTHY = 'position is healthy';
/** Storage slots of Morpho.sol: mapping(Id => mapping(address => Position)) and mapping(Id => Market). */
const POSITION_SLOT = 2n;
const MARKET_SLOT = 3n;
/** Storage slot of AdaptiveCurveIrm.sol: mapping(Id => int256). */
const RATE_AT_TARGET_SLOT = 0n;

let devnet: Devnet;
let chain: Chain;
let pool: RpcPool;
let block: Block;
let tokens: { readonly loan: Address; readonly collateral: Address };
let trader: Address;
let morpho: { readonly address: Address; readonly abi: Interface; readonly irm: Address };

beforeAll(async () => {
  devnet = await startDevnet();
  ({ chain, pool } = chainOf(devnet));
  trader = toAddress(devnet.accounts.trader);
  const { addresses, contracts } = devnet;
  morpho = {
    address: toAddress(addresses.morpho),
    abi: contracts.morpho.interface,
    irm: toAddress(addresses.morphoIrm),
  };
  tokens = {
    loan: await tokenHeldBy(trader, 'LOAN'),
    collateral: await tokenHeldBy(morpho.address, 'COLL'),
  };
  block = await chain.getBlock('latest');
});

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

/** A market, a position, a price and an amount, as the real contracts are made to have them. */
interface Case {
  readonly market: BlueMarket;
  readonly position: BluePosition;
  readonly price: bigint;
  readonly amount: LiquidationAmount;
  /** Of the block in which it is liquidated, seconds since the epoch. */
  readonly timestamp: number;
  /** What the other rate model answers. */
  readonly askedRateWad: bigint;
}

describe(`Morpho Blue against our own maths (seed ${SEED}, ${CASES} cases)`, () => {
  it('gives the same interest, rates, health, liquidation, bad debt and books as the real contracts', async () => {
    const random = new Random(SEED);
    const cases = Array.from({ length: CASES }, () => randomCase(random));
    const found = { accrued: 0, healthy: 0, liquidated: 0, badDebt: 0, refused: 0, atTheEdge: 0 };
    for (let at = 0; at < cases.length; at += AT_ONCE)
      await Promise.all(
        cases.slice(at, at + AT_ONCE).map(async (one, index) => {
          const outcome = compare(one, await onChain(one), `case ${at + index} of seed ${SEED}`);
          for (const name of outcome) found[name] += 1;
        }),
      );
    console.log(`Morpho Blue, seed ${SEED}: ${CASES} cases, 0 differences: ${JSON.stringify(found)}`);
    for (const name of ['accrued', 'healthy', 'liquidated', 'badDebt', 'refused', 'atTheEdge'] as const)
      expect(found[name], name).toBeGreaterThan(CASES / 50);
  }, 600_000);
});

type Found = 'accrued' | 'healthy' | 'liquidated' | 'badDebt' | 'refused' | 'atTheEdge';

/** @returns what kind of case it was; a difference fails. */
function compare(
  { market, position, price, amount, timestamp, askedRateWad }: Case,
  chainSide: ChainSide,
  context: string,
): Found[] {
  const after = accrued(market, timestamp, askedRateWad);
  expect(chainSide.accrued, `${context}: interest`).toEqual(after.totals);
  if (after.rate.kind === 'adaptive-curve')
    expect(chainSide.rateAtTargetWad, `${context}: rate at target`).toBe(after.rate.rateAtTargetWad);
  const found: Found[] = after.totals.borrowAssets > market.totals.borrowAssets ? ['accrued'] : [];
  const { lltvWad } = market.params;
  const health = healthOf(after.totals, position, price, lltvWad);
  if (max(health.borrowed - health.maxBorrow, health.maxBorrow - health.borrowed) <= 2n)
    found.push('atTheEdge');
  if (!isLiquidatable(health)) {
    expect(health.healthFactorWad, context).toBeGreaterThanOrEqual(WAD);
    expect(chainSide.refusal, `${context}: healthy`).toBe(IS_HEALTHY);
    return [...found, 'healthy'];
  }
  expect(health.healthFactorWad, context).toBeLessThan(WAD);
  expect(chainSide.refusal, `${context}: not healthy`).not.toBe(IS_HEALTHY);
  const ours = liquidationResult({ totals: after.totals, position, price, lltvWad }, amount);
  if (!ours) {
    expect(chainSide.liquidation, `${context}: a refusal`).toBeUndefined();
    return [...found, 'refused'];
  }
  expect(chainSide.liquidation, `${context}: ${chainSide.refusal}`).toEqual(ours);
  return [...found, 'liquidated', ...(ours.badDebtAssets > 0n ? (['badDebt'] as const) : [])];
}

interface ChainSide {
  readonly accrued: MarketTotals;
  readonly rateAtTargetWad: bigint;
  readonly liquidation: LiquidationResult | undefined;
  /** With what it reverted. */
  readonly refusal: string;
}

/** What the real contracts do, in one block on top of the chain. */
async function onChain({
  market,
  position,
  price,
  amount,
  timestamp,
  askedRateWad,
}: Case): Promise<ChainSide> {
  const { id, params } = market;
  const args = [params.loanToken, params.collateralToken, params.oracle, params.irm, params.lltvWad];
  const [seized, shares] = amount.unit === 'collateral' ? [amount.amount, 0n] : [0n, amount.amount];
  const call = (method: string, values: readonly unknown[]): { from: Address; to: Address; data: Hex } => ({
    from: trader,
    to: morpho.address,
    data: hexOf(morpho.abi.encodeFunctionData(method, [...values])),
  });
  const marketCall = call('market', [id]);
  const rateCall = { from: trader, to: morpho.irm, data: hexOf(`0x01977b57${id.slice(2)}`) };
  const answers = await chain.simulateV1(
    [
      call('accrueInterest', [args]),
      marketCall,
      rateCall,
      call('liquidate', [args, BORROWER, seized, shares, '0x']),
      marketCall,
      call('position', [id, BORROWER]),
    ],
    block.hash,
    {
      blockOverrides: { timestamp },
      deadlineMs: 30_000,
      stateOverrides: {
        [morpho.address]: { stateDiff: stored(market, position) },
        [morpho.irm]: { stateDiff: storedRate(market) },
        [OTHER_IRM]: { code: answering(askedRateWad) },
        [ORACLE]: { code: answering(price) },
      },
    },
  );
  const [accrual, booked, rate, liquidation, left, held] = answers;
  if (!accrual?.success || !booked || !rate || !liquidation || !left || !held)
    throw new Error(`the accrual failed: ${accrual ? refusalOf(accrual) : 'no answer'}`);
  return {
    accrued: totalsFrom(booked.returnData),
    rateAtTargetWad: uintAt(rate.returnData, 0),
    liquidation: liquidation.success ? resultFrom(liquidation, left.returnData, held.returnData) : undefined,
    refusal: liquidation.success ? '' : refusalOf(liquidation),
  };
}

function resultFrom(liquidation: SimulatedCall, left: Hex, held: Hex): LiquidationResult {
  const { topicHash } = morpho.abi.getEvent('Liquidate') ?? {};
  const event = liquidation.logs.find(({ topics }) => topics[0] === topicHash)?.data ?? '0x';
  const [repaidAssets, repaidShares, seizedAssets, badDebtAssets, badDebtShares] = [0, 1, 2, 3, 4].map(
    (word) => uintAt(event, word),
  ) as [bigint, bigint, bigint, bigint, bigint];
  expect([uintAt(liquidation.returnData, 0), uintAt(liquidation.returnData, 1)]).toEqual([
    seizedAssets,
    repaidAssets,
  ]);
  return {
    ...{ seizedAssets, repaidAssets, repaidShares, badDebtAssets, badDebtShares },
    position: { borrowShares: uintAt(held, 1), collateral: uintAt(held, 2) },
    totals: totalsFrom(left),
  };
}

/** The answer of Morpho.market(id). */
function totalsFrom(data: Hex): MarketTotals {
  return {
    supplyAssets: uintAt(data, 0),
    supplyShares: uintAt(data, 1),
    borrowAssets: uintAt(data, 2),
    borrowShares: uintAt(data, 3),
    lastUpdate: Number(uintAt(data, 4)),
    feeWad: uintAt(data, 5),
  };
}

/** Error(string), or the data itself. */
function refusalOf({ returnData }: SimulatedCall): string {
  if (!returnData.startsWith('0x08c379a0')) return returnData;
  return String(AbiCoder.defaultAbiCoder().decode(['string'], `0x${returnData.slice(10)}`)[0]);
}

type Diff = NonNullable<AccountOverride['stateDiff']>;

/** Market and position in the storage of Morpho. Two numbers of 128 bits share a slot: first the low one. */
function stored({ id, totals }: BlueMarket, { collateral, borrowShares }: BluePosition): Diff {
  const market = mappingSlot(id, word(MARKET_SLOT));
  const position = mappingSlot(
    `0x${BORROWER.slice(2).padStart(64, '0')}`,
    mappingSlot(id, word(POSITION_SLOT)),
  );
  const pair = (low: bigint, high: bigint): Hash => word((high << 128n) | low);
  return {
    [market]: pair(totals.supplyAssets, totals.supplyShares),
    [after(market, 1n)]: pair(totals.borrowAssets, totals.borrowShares),
    [after(market, 2n)]: pair(BigInt(totals.lastUpdate), totals.feeWad),
    [after(position, 1n)]: pair(borrowShares, collateral),
  };
}

function storedRate({ id, rate }: BlueMarket): Diff {
  const rateAtTargetWad = rate.kind === 'adaptive-curve' ? rate.rateAtTargetWad : 0n;
  return { [mappingSlot(id, word(RATE_AT_TARGET_SLOT))]: word(rateAtTargetWad) };
}

const word = (value: bigint): Hash => `0x${uintWord(value)}`;
const after = (slot: Hash, distance: bigint): Hash => word(BigInt(slot) + distance);
const mappingSlot = (key: Hash, slot: Hash): Hash => hexOf(keccak256(concat([key, slot])));

/** Code that answers one number to everything. */
const answering = (value: bigint): Hex => `0x7f${uintWord(value)}5f5260205ff3`;

function randomCase(random: Random): Case {
  const irm = random.pick([morpho.irm, morpho.irm, morpho.irm, OTHER_IRM, ZERO_ADDRESS]);
  const lltvWad = random.below(4n) === 0n ? random.below(WAD) : random.pick(LLTVS);
  const params = {
    loanToken: tokens.loan,
    collateralToken: tokens.collateral,
    ...{ oracle: ORACLE, irm, lltvWad },
  };
  const elapsed = random.pick([
    0n,
    1n,
    2n,
    12n,
    random.below(3_600n),
    random.below(30n * 86_400n),
    random.below(10n ** 8n),
  ]);
  const timestamp = block.timestamp + 1 + Number(random.below(1_000n));
  const totals = randomTotals(random, timestamp - Number(elapsed));
  const market = { id: marketIdOf(params), params, totals, rate: randomRate(random, irm) };
  const askedRateWad = random.magnitude(10n ** 12n);
  const now = accrued(market, timestamp, askedRateWad).totals;
  const share = random.pick([1n, 2n, 10n, 1_000n, 1_000_000n]);
  const borrowShares = random.pick([
    totals.borrowShares,
    totals.borrowShares / share,
    random.below(1_000_000n),
  ]);
  const some = (): bigint => random.magnitude(10n ** 26n);
  const collateral = random.pick([0n, 1n, some(), some(), some(), some(), some(), some()]);
  const held = {
    collateral,
    borrowShares: borrowShares < totals.borrowShares ? borrowShares : totals.borrowShares,
  };
  const price = randomPrice(random, now, held, lltvWad);
  const amount = randomAmount(random, now, held, price, lltvWad);
  return { market, position: held, price, amount, timestamp, askedRateWad };
}

function randomTotals(random: Random, lastUpdate: number): MarketTotals {
  const supplyAssets = random.magnitude(10n ** 30n);
  const used = random.pick([0n, 900_000n, 1_000_000n, random.below(1_000_001n), random.below(1_000_001n)]);
  const borrowAssets = (supplyAssets * used) / 1_000_000n;
  // A share is worth a little more with each accrual, or, after bad debt, less.
  const sharesOf = (assets: bigint): bigint =>
    (assets * 1_000_000n * 1_000n) / (500n + random.below(3_000n)) + random.below(1_000_000n);
  return {
    supplyAssets,
    supplyShares: sharesOf(supplyAssets),
    borrowAssets,
    borrowShares: sharesOf(borrowAssets),
    lastUpdate,
    feeWad: random.pick([0n, WAD / 4n, random.below(WAD / 4n)]),
  };
}

function randomRate(random: Random, irm: Address): RateModel {
  if (irm === ZERO_ADDRESS) return { kind: 'none' };
  if (irm === OTHER_IRM) return { kind: 'asked' };
  const [lowest, highest] = [31_709_791n, 63_419_583_967n];
  const between = lowest + random.below(highest - lowest);
  return {
    kind: 'adaptive-curve',
    rateAtTargetWad: random.pick([0n, lowest, highest, 1_268_391_679n, between]),
  };
}

/** A third of the prices lie within a hair of the price at which the position becomes liquidatable. */
function randomPrice(random: Random, totals: MarketTotals, held: BluePosition, lltvWad: bigint): bigint {
  const { collateral, borrowShares } = held;
  if (collateral === 0n || lltvWad === 0n) return random.magnitude(10n ** 40n);
  const debt = toAssetsUp(borrowShares, totals.borrowAssets, totals.borrowShares);
  const worth = mulDivCeil(debt, WAD, lltvWad);
  const limit = mulDivCeil(worth, 10n ** 36n, collateral);
  const percent = 20n + random.below(90n);
  const price = random.pick([
    limit + random.below(3n) - 1n,
    mulDivFloor(worth - 1n + random.below(3n), 10n ** 36n, collateral),
    ...[
      mulDivFloor(limit, percent, 100n),
      mulDivFloor(limit, percent, 100n),
      mulDivFloor(limit, percent, 100n),
    ],
    random.pick([0n, random.magnitude(10n ** 40n)]),
  ]);
  // The contract multiplies it by the collateral in 256 bits.
  return min(max(price, 0n), 10n ** 74n / (collateral + 1n));
}

function randomAmount(
  random: Random,
  totals: MarketTotals,
  held: BluePosition,
  price: bigint,
  lltvWad: bigint,
): LiquidationAmount {
  const { collateral, borrowShares } = held;
  const all = { unit: 'collateral', amount: collateral } as const;
  const bySeizure = liquidationResult({ totals, position: held, price, lltvWad }, all);
  const { unit, amount } = random.pick<LiquidationAmount>([
    { unit: 'shares', amount: borrowShares },
    all,
    all,
    { unit: 'shares', amount: 1n },
    { unit: 'shares', amount: (borrowShares * random.below(1_000n)) / 1_000n + 1n },
    { unit: 'shares', amount: (bySeizure?.repaidShares ?? borrowShares) + random.below(3n) },
    { unit: 'collateral', amount: (collateral * random.below(1_000n)) / 1_000n + 1n },
    { unit: 'collateral', amount: collateral + 1n },
  ]);
  return { unit, amount: max(amount, 1n) };
}

/** A token of which this account holds more than any case asks for; Morpho may take all of it. */
async function tokenHeldBy(holder: Address, symbol: string): Promise<Address> {
  const token = await devnet.deploy('MintableToken', [symbol, symbol, 18]);
  const to = await token.getAddress();
  const plenty = 10n ** 60n;
  const mint = token.interface.encodeFunctionData('mint', [holder, plenty]);
  await sendFrom(devnet, devnet.accounts.deployer, { to, data: mint });
  const approve = token.interface.encodeFunctionData('approve', [morpho.address, MaxUint256]);
  await sendFrom(devnet, trader, { to, data: approve });
  return toAddress(to);
}

function hexOf(text: string): Hex {
  return `0x${text.slice(2)}`;
}
