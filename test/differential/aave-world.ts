import { id, Interface, MaxUint256 } from 'ethers';
import { expect } from 'vitest';
import { AAVE_TREASURY } from '../../devnet/deploy/aave.js';
import { TOKEN_SYMBOLS, type Devnet } from '../../devnet/index.js';
import type { Block } from '../../src/domain/block.js';
import { addressFromWord, uintAt, type Address } from '../../src/domain/hex.js';
import type { LiquidationCandidate } from '../../src/domain/opportunity.js';
import type { AaveV3Reader } from '../../src/protocols/aave-v3/aave-v3.reader.js';
import { liquidationPairs } from '../../src/protocols/aave-v3/candidates.js';
import { accountData, isLiquidatable, type AccountData } from '../../src/protocols/aave-v3/health.js';
import {
  liquidationResult,
  maxLiquidatableDebt,
  type AaveV3Terms,
} from '../../src/protocols/aave-v3/liquidation.js';
import type { AaveAccount, AaveMarket, MarketConditions } from '../../src/protocols/aave-v3/market.js';
import { accountDataRead, conditionsRead } from '../../src/protocols/aave-v3/reads.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import { each, readAt } from '../../src/rpc/chain/read.js';
import type { SimulatedCall } from '../../src/rpc/chain/simulate.js';
import { sendFrom, type MinedTransaction } from '../../testing/transactions.js';

export const LIQUIDATION_CALL = id('LiquidationCall(address,address,address,uint256,uint256,address,bool)');
const TRANSFER = id('Transfer(address,address,uint256)');

export const UNLIMITED = { maxNotionalUsd8: 10n ** 30n, fundingHorizonSeconds: 60 };

const POOL = new Interface([
  'function liquidationCall(address,address,address,uint256,bool)',
  'function getUserAccountData(address)',
]);

/** One Aave pool on a local chain, and positions on it. */
export interface AaveWorld {
  readonly devnet: Devnet;
  readonly chain: Chain;
  readonly reader: AaveV3Reader;
  readonly addressesProvider: Address;
  readonly borrowers: readonly Address[];
}

export interface Snapshot {
  readonly block: Block;
  readonly market: AaveMarket;
  readonly conditions: MarketConditions;
  readonly accounts: readonly AaveAccount[];
  readonly liquidatable: readonly { readonly account: AaveAccount; readonly data: AccountData }[];
}

export async function snapshotOf(
  { chain, reader, addressesProvider, borrowers }: AaveWorld,
  of: readonly Address[] = borrowers,
): Promise<Snapshot> {
  const block = await chain.getBlock('latest');
  const market = await reader.market('aave', addressesProvider, block.hash);
  const conditions = await readAt(chain, conditionsRead(market, block.timestamp), block.hash);
  const accounts = await reader.accounts(market, of, block.hash);
  const liquidatable = accounts
    .map((account) => ({ account, data: valued(market, account, conditions) }))
    .filter(({ data }) => isLiquidatable(data.healthFactorWad));
  return { block, market, conditions, accounts, liquidatable };
}

export function valued(market: AaveMarket, account: AaveAccount, conditions: MarketConditions): AccountData {
  const data = accountData(market, account, conditions);
  if ('priceMissing' in data) throw new Error(`no price for ${data.priceMissing.symbol}`);
  return data;
}

/** @returns how many positions were compared; a difference fails. */
export async function compareHealth(world: AaveWorld): Promise<number> {
  const { block, market, conditions, accounts } = await snapshotOf(world);
  const reads = each(world.borrowers.map((address) => accountDataRead(market, address)));
  const onChain = await readAt(world.chain, reads, block.hash);
  for (const [index, account] of accounts.entries()) {
    const { totalCollateralUsd8, totalDebtUsd8, healthFactorWad } = valued(market, account, conditions);
    expect({ account: account.address, totalCollateralUsd8, totalDebtUsd8, healthFactorWad }).toEqual(
      onChain[index],
    );
  }
  return onChain.length;
}

export const accountDataOf = (borrower: Address): string =>
  POOL.encodeFunctionData('getUserAccountData', [borrower]);

export function liquidationData(
  { collateral, debt }: AaveV3Terms,
  borrower: Address,
  amount: bigint,
): string {
  const { asset } = collateral.reserve;
  return POOL.encodeFunctionData('liquidationCall', [asset, debt.reserve.asset, borrower, amount, false]);
}

/** Calls of the pool, one after the other, on top of the block, at its timestamp unless given. */
export function simulate(
  { chain, devnet }: AaveWorld,
  block: Block,
  market: AaveMarket,
  calls: readonly string[],
  timestamp = block.timestamp,
): Promise<SimulatedCall[]> {
  const from = `0x${devnet.accounts.trader.slice(2).toLowerCase()}` as const;
  return chain.simulateV1(
    calls.map((data) => ({ from, to: market.pool, data: hexOf(data) })),
    block.hash,
    { blockOverrides: { timestamp }, deadlineMs: 20_000 },
  );
}

/** What a liquidation took and gave, as its logs say. */
export function outcomeOf(
  call: Pick<SimulatedCall, 'logs'>,
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

/**
 * Every pair of every liquidatable position with the amounts worth trying, all of it, and random amounts:
 * what our maths says against liquidationCall. A difference fails.
 *
 * @param refusal of an amount that leaves dust; undefined where the version allows it.
 */
export async function compareLiquidations(
  world: AaveWorld,
  { block, market, conditions, liquidatable }: Snapshot,
  { random, refusal, most = Infinity }: { random: () => number; refusal?: string; most?: number },
): Promise<{ executed: number; refused: number; nothing: number }> {
  const found = { executed: 0, refused: 0, nothing: 0 };
  for (const { account, data } of liquidatable) {
    for (const pair of liquidationPairs(market.rules, data, conditions.timestamp, UNLIMITED)) {
      const cap = maxLiquidatableDebt(pair.terms);
      const candidates = pair.candidates.map((one) => one.debtToCover);
      const amounts = [MaxUint256, ...candidates, portion(cap, random), portion(cap, random)];
      for (const amount of amounts) {
        if (found.executed + found.refused >= most) return found;
        const data = liquidationData(pair.terms, account.address, amount);
        const [call] = await simulate(world, block, market, [data]);
        if (!call) throw new Error('the simulation gave nothing');
        const ours = liquidationResult(pair.terms, amount);
        const context = `${account.address} ${pair.terms.collateral.reserve.symbol}/${pair.terms.debt.reserve.symbol} ${amount}`;
        if (!ours) {
          expect(refusal, context).toBeDefined();
          expect(call.success ? 'succeeded' : call.returnData, context).toBe(refusal);
          found.refused += 1;
        } else if (call.success) {
          const { debtCovered, collateralSeized, protocolFee } = ours;
          const outcome = outcomeOf(call, pair.terms.collateral.reserve.aToken);
          expect(outcome, context).toEqual({ debtCovered, collateralSeized, protocolFee });
          found.executed += 1;
        } else {
          const isNothing = roundsToNothing({ ...ours, debtToCover: ours.debtCovered });
          expect(isNothing, `${context} reverted with ${call.returnData}`).toBe(true);
          found.nothing += 1;
        }
      }
    }
  }
  return found;
}

export function liquidate(
  { devnet }: AaveWorld,
  market: AaveMarket,
  terms: AaveV3Terms,
  borrower: Address,
  amount: bigint,
): Promise<MinedTransaction> {
  const data = liquidationData(terms, borrower, amount);
  return sendFrom(devnet, devnet.accounts.trader, { to: market.pool, data });
}

/** The trader holds plenty of every token and lets the pool take it. */
export async function equipLiquidator(devnet: Devnet, pool: string): Promise<void> {
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
      data: token.encodeFunctionData('approve', [pool, MaxUint256]),
    });
  }
}

export function hexOf(text: string): `0x${string}` {
  return `0x${text.slice(2)}`;
}

/**
 * Aave refuses to burn or transfer a scaled amount of zero: a few smallest units, which are worth nothing.
 */
export function roundsToNothing({
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
export function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
