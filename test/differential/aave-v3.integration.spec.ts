import { id, MaxUint256 } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AAVE_TREASURY } from '../../devnet/deploy/aave.js';
import { randomBorrowers, startDevnet, TOKEN_SYMBOLS, type Devnet } from '../../devnet/index.js';
import type { Block } from '../../src/domain/block.js';
import type { LiquidationCandidate } from '../../src/domain/opportunity.js';
import { addressFromWord, toAddress, uintAt, type Address } from '../../src/domain/hex.js';
import { WAD } from '../../src/domain/money.js';
import { leavingOpen, pairsAfter } from '../../src/protocols/aave-v3/after.js';
import { AaveV3Reader } from '../../src/protocols/aave-v3/aave-v3.reader.js';
import { accountData, isLiquidatable, type AccountData } from '../../src/protocols/aave-v3/health.js';
import { liquidationResult, maxLiquidatableDebt } from '../../src/protocols/aave-v3/liquidation.js';
import { liquidationPairs } from '../../src/protocols/aave-v3/candidates.js';
import type { AaveAccount, AaveMarket, MarketConditions } from '../../src/protocols/aave-v3/market.js';
import { accountDataRead, conditionsRead } from '../../src/protocols/aave-v3/reads.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import { each, readAt } from '../../src/rpc/chain/read.js';
import type { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';
import type { SimulatedCall } from '../../src/rpc/chain/simulate.js';
import { chainOf } from '../../testing/chain.js';
import { sendFrom, type MinedTransaction } from '../../testing/transactions.js';

/** Repeat a failing run with its seed: DIFFERENTIAL_SEED=… npx vitest run test/differential */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? Date.now() % 1_000_000);
const POSITIONS = 520;
const ONE_YEAR = 365 * 24 * 3600;

const LIQUIDATION_CALL = id('LiquidationCall(address,address,address,uint256,uint256,address,bool)');
const TRANSFER = id('Transfer(address,address,uint256)');

let devnet: Devnet;
let chain: Chain;
let pool: RpcPool;
let reader: AaveV3Reader;
let addresses: Address[];

beforeAll(async () => {
  devnet = await startDevnet();
  ({ chain, pool } = chainOf(devnet));
  reader = new AaveV3Reader(chain);
  addresses = (await devnet.openPositions(randomBorrowers(SEED, POSITIONS))).map(toAddress);
  await equipLiquidator();
});

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

describe(`Aave v3.6 against our own maths (seed ${SEED})`, () => {
  it('gives every position the same collateral, debt and health factor as getUserAccountData, to the wei', async () => {
    expect(await compareHealth()).toBe(POSITIONS);
  });

  it('gives the same after a year of interest', async () => {
    await devnet.increaseTime(ONE_YEAR);
    expect(await compareHealth()).toBe(POSITIONS);
  });

  it('gives the same after prices moved, when many positions are below 1', async () => {
    const before = await devnet.prices();
    await devnet.setPrices({
      WETH: (before.WETH * 77n) / 100n,
      cbETH: (before.cbETH * 74n) / 100n,
      cbBTC: (before.cbBTC * 109n) / 100n,
      USDC: 99_700_000n,
    });
    expect(await compareHealth()).toBe(POSITIONS);
    const { liquidatable } = await snapshotOf();
    expect(liquidatable.length).toBeGreaterThan(POSITIONS / 10);
  });

  it('gives the same debt covered, collateral seized and protocol fee as liquidationCall, or the same refusal', async () => {
    const { block, market, conditions, liquidatable } = await snapshotOf();
    const random = mulberry(SEED);
    let executed = 0;
    let refused = 0;
    for (const { account, data } of liquidatable) {
      const pairs = liquidationPairs(market.rules, data, conditions.timestamp, UNLIMITED);
      for (const pair of pairs) {
        const cap = maxLiquidatableDebt(pair.terms);
        const amounts = [
          MaxUint256,
          ...pair.candidates.map((one) => one.debtToCover),
          portion(cap, random),
          portion(cap, random),
        ];
        for (const amount of amounts) {
          const call = await simulateLiquidation(block, market, pair.terms, account.address, amount);
          const ours = liquidationResult(pair.terms, amount);
          const context = `${account.address} ${pair.terms.collateral.reserve.symbol}/${pair.terms.debt.reserve.symbol} ${amount}`;
          if (!ours) {
            expect(call.success ? 'succeeded' : call.returnData, context).toBe(
              id('MustNotLeaveDust()').slice(0, 10),
            );
            refused += 1;
          } else if (call.success) {
            expect(outcomeOf(call, pair.terms.collateral.reserve.aToken), context).toEqual({
              debtCovered: ours.debtCovered,
              collateralSeized: ours.collateralSeized,
              protocolFee: ours.protocolFee,
            });
            executed += 1;
          } else {
            expect(
              roundsToNothing({ ...ours, debtToCover: ours.debtCovered }),
              `${context} reverted with ${call.returnData}`,
            ).toBe(true);
          }
        }
      }
    }
    expect(executed).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(0);
  }, 240_000);

  it('leaves the same position behind a first liquidation, of which a second one takes and gives the same', async () => {
    const { block, market, conditions, liquidatable } = await snapshotOf();
    const found = { open: 0, closed: 0, second: 0, leavingOpen: 0 };
    for (const { account, data } of liquidatable) {
      const pairs = liquidationPairs(market.rules, data, conditions.timestamp, UNLIMITED);
      const steps = pairs.flatMap((pair) =>
        [...pair.candidates, ...leavingOpen(pair)].map((candidate) => ({ pair, candidate })),
      );
      for (const { pair, candidate } of steps.filter(({ candidate }) => !roundsToNothing(candidate))) {
        const after = pairsAfter(pairs, pair, candidate);
        const next = after.find(({ candidates }) => candidates.some((one) => !roundsToNothing(one)));
        const [second] = next?.candidates.filter((one) => !roundsToNothing(one)) ?? [];
        const context = `${account.address} ${candidate.collateral.symbol}/${candidate.debt.symbol} ${candidate.sizing}`;
        const [first, health, last] = await simulate(block, market, [
          liquidationData(pair.terms, account.address, candidate.debtToFund),
          devnet.contracts.aavePool.interface.encodeFunctionData('getUserAccountData', [account.address]),
          ...(next && second ? [liquidationData(next.terms, account.address, second.debtToFund)] : []),
        ]);
        expect(first?.success, context).toBe(true);
        const [totalCollateralUsd8, totalDebtUsd8, healthFactorWad] = [0, 1, 5].map((word) =>
          uintAt(health?.returnData ?? '0x', word),
        );
        const isOpen = healthFactorWad! < WAD && totalCollateralUsd8! > 0n;
        expect(after.length > 0, `${context}: open`).toBe(isOpen);
        found[isOpen ? 'open' : 'closed'] += 1;
        if (candidate.sizing === 'leaves-open') found.leavingOpen += isOpen ? 1 : -1_000;
        for (const { terms } of after)
          expect(terms, context).toMatchObject({ totalDebtUsd8, healthFactorWad });
        if (!last || !next || !second) continue;
        expect(last.success ? 'succeeded' : last.returnData, `${context}: second`).toBe('succeeded');
        const { debtToCover: debtCovered, collateralSeized, protocolFee } = second;
        expect(outcomeOf(last, next.terms.collateral.reserve.aToken), `${context}: second`).toEqual({
          ...{ debtCovered, collateralSeized, protocolFee },
        });
        found.second += 1;
      }
    }
    expect(found.closed).toBeGreaterThan(20);
    expect(found.open).toBeGreaterThan(20);
    expect(found.leavingOpen).toBeGreaterThan(5);
    expect(found.second).toBeGreaterThan(20);
  }, 240_000);

  it('funds each candidate so that the liquidation still succeeds half a minute later', async () => {
    const { block, market, conditions, liquidatable } = await snapshotOf();
    const later = block.timestamp + 30;
    let cleared = 0;
    for (const { account, data } of liquidatable) {
      for (const pair of liquidationPairs(market.rules, data, conditions.timestamp, UNLIMITED)) {
        for (const candidate of pair.candidates) {
          if (roundsToNothing(candidate)) continue;
          const call = await simulateLiquidation(
            block,
            market,
            pair.terms,
            account.address,
            candidate.debtToFund,
            later,
          );
          const context = `${account.address} ${candidate.collateral.symbol}/${candidate.debt.symbol} ${candidate.sizing}`;
          expect(call.success ? 'succeeded' : call.returnData, context).toBe('succeeded');
          if (candidate.sizing === 'all-debt' || candidate.sizing === 'all-collateral') cleared += 1;
        }
      }
    }
    expect(cleared).toBeGreaterThan(50);
  }, 120_000);

  it('agrees with mined liquidations, one after the other', async () => {
    const { liquidatable } = await snapshotOf();
    let mined = 0;
    for (const { account } of liquidatable.slice(0, 25)) {
      const snapshot = await snapshotOf([account.address]);
      const [fresh] = snapshot.liquidatable;
      if (!fresh) continue;
      const timestamp = snapshot.block.timestamp + 1;
      const data = valued(snapshot.market, fresh.account, { ...snapshot.conditions, timestamp });
      const [pair] = liquidationPairs(snapshot.market.rules, data, timestamp, UNLIMITED);
      const ours = pair && liquidationResult(pair.terms, MaxUint256);
      if (!ours) continue;
      await devnet.rpc('evm_setNextBlockTimestamp', [timestamp]);
      const receipt = await liquidate(pair.terms, account.address, MaxUint256);
      const event = receipt.logs.find((log) => log.topics[0] === LIQUIDATION_CALL);
      expect(uintAt(hexOf(event?.data ?? '0x'), 0)).toBe(ours.debtCovered);
      expect(uintAt(hexOf(event?.data ?? '0x'), 1)).toBe(ours.collateralSeized);
      mined += 1;
    }
    expect(mined).toBeGreaterThan(10);
  });
});

const UNLIMITED = { maxNotionalUsd8: 10n ** 30n, fundingHorizonSeconds: 60 };

interface Snapshot {
  readonly block: Block;
  readonly market: AaveMarket;
  readonly conditions: MarketConditions;
  readonly accounts: readonly AaveAccount[];
  readonly liquidatable: readonly { readonly account: AaveAccount; readonly data: AccountData }[];
}

async function snapshotOf(of: readonly Address[] = addresses): Promise<Snapshot> {
  const block = await chain.getBlock('latest');
  const market = await reader.market('aave', toAddress(devnet.addresses.addressesProvider), block.hash);
  const conditions = await readAt(chain, conditionsRead(market, block.timestamp), block.hash);
  const accounts = await reader.accounts(market, of, block.hash);
  const liquidatable = accounts
    .map((account) => ({ account, data: valued(market, account, conditions) }))
    .filter(({ data }) => isLiquidatable(data.healthFactorWad));
  return { block, market, conditions, accounts, liquidatable };
}

function valued(market: AaveMarket, account: AaveAccount, conditions: MarketConditions): AccountData {
  const data = accountData(market, account, conditions);
  if ('priceMissing' in data) throw new Error(`no price for ${data.priceMissing.symbol}`);
  return data;
}

/** @returns how many positions were compared; a difference fails. */
async function compareHealth(): Promise<number> {
  const { block, market, conditions, accounts } = await snapshotOf();
  const onChain = await readAt(
    chain,
    each(addresses.map((address) => accountDataRead(market, address))),
    block.hash,
  );
  for (const [index, account] of accounts.entries()) {
    const { totalCollateralUsd8, totalDebtUsd8, healthFactorWad } = valued(market, account, conditions);
    expect({ account: account.address, totalCollateralUsd8, totalDebtUsd8, healthFactorWad }).toEqual(
      onChain[index],
    );
  }
  return onChain.length;
}

type PairData = Parameters<typeof liquidationResult>[0];

function liquidationData({ collateral, debt }: PairData, borrower: Address, amount: bigint): string {
  return devnet.contracts.aavePool.interface.encodeFunctionData(
    'liquidationCall(address,address,address,uint256,bool)',
    [collateral.reserve.asset, debt.reserve.asset, borrower, amount, false],
  );
}

/** The answer of the real contracts on top of the block, at the timestamp of the block. */
async function simulateLiquidation(
  block: Block,
  market: AaveMarket,
  pair: PairData,
  borrower: Address,
  amount: bigint,
  timestamp = block.timestamp,
): Promise<SimulatedCall> {
  const [call] = await simulate(block, market, [liquidationData(pair, borrower, amount)], timestamp);
  if (!call) throw new Error('the simulation gave nothing');
  return call;
}

/** Calls of the pool, one after the other. */
function simulate(
  block: Block,
  market: AaveMarket,
  calls: readonly string[],
  timestamp = block.timestamp,
): Promise<SimulatedCall[]> {
  const from = toAddress(devnet.accounts.trader);
  return chain.simulateV1(
    calls.map((data) => ({ from, to: market.pool, data: hexOf(data) })),
    block.hash,
    { blockOverrides: { timestamp }, deadlineMs: 20_000 },
  );
}

function outcomeOf(
  call: SimulatedCall,
  aToken: Address,
): { debtCovered: bigint; collateralSeized: bigint; protocolFee: bigint } {
  const event = call.logs.find((log) => log.topics[0] === LIQUIDATION_CALL);
  const fee = call.logs.find(
    (log) =>
      log.address === aToken &&
      log.topics[0] === TRANSFER &&
      addressFromWord(log.topics[2] ?? '') === AAVE_TREASURY &&
      !/^0x0+$/.test(log.topics[1] ?? ''),
  );
  return {
    debtCovered: uintAt(event?.data ?? '0x', 0),
    collateralSeized: uintAt(event?.data ?? '0x', 1),
    protocolFee: fee ? uintAt(fee.data, 0) : 0n,
  };
}

function liquidate(pair: PairData, borrower: Address, amount: bigint): Promise<MinedTransaction> {
  const data = liquidationData(pair, borrower, amount);
  return sendFrom(devnet, devnet.accounts.trader, { to: devnet.addresses.pool, data });
}

/** The trader holds plenty of every token and lets the pool take it. */
async function equipLiquidator(): Promise<void> {
  const { trader, deployer } = devnet.accounts;
  await devnet.rpc('anvil_setBalance', [trader, `0x${(10n ** 27n).toString(16)}`]);
  for (const symbol of TOKEN_SYMBOLS) {
    const token = devnet.token(symbol).interface;
    const { address: to, decimals } = devnet.tokens[symbol];
    const plenty = 10n ** BigInt(decimals) * 1_000_000n;
    if (symbol === 'WETH')
      await sendFrom(devnet, trader, { to, data: token.encodeFunctionData('deposit'), value: plenty });
    else await sendFrom(devnet, deployer, { to, data: token.encodeFunctionData('mint', [trader, plenty]) });
    await sendFrom(devnet, trader, {
      to,
      data: token.encodeFunctionData('approve', [devnet.addresses.pool, MaxUint256]),
    });
  }
}

function hexOf(text: string): `0x${string}` {
  return `0x${text.slice(2)}`;
}

/**
 * Aave refuses to burn or transfer a scaled amount of zero: a few smallest units, which are worth nothing.
 */
function roundsToNothing({
  debtToCover,
  collateralSeized,
}: Pick<LiquidationCandidate, 'debtToCover' | 'collateralSeized'>): boolean {
  return debtToCover < 10n || collateralSeized < 10n;
}

/** Some part of an amount, from a wei to all of it. */
function portion(amount: bigint, random: () => number): bigint {
  return (amount * BigInt(Math.floor(random() * 1_000_000))) / 1_000_000n + 1n;
}

/** Mulberry32: a small seeded generator of numbers in [0, 1). */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
