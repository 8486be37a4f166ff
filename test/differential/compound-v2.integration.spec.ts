import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import type { Block } from '../../src/domain/block.js';
import { toAddress, type Address, type Hex } from '../../src/domain/hex.js';
import { applyChanges } from '../../src/protocols/compound-v2/account-changes.js';
import { CompoundV2Reader } from '../../src/protocols/compound-v2/compound-v2.reader.js';
import { changesOf, checkLog, watchedLogs } from '../../src/protocols/compound-v2/events.js';
import {
  collateralsOf,
  debtsOf,
  liquidityOf,
  lowestHealthFactor,
  positionOf,
  type Position,
} from '../../src/protocols/compound-v2/health.js';
import {
  healthFactorOfPair,
  isOpen,
  liquidate,
  mostDebtForTokens,
  mostRepayable,
  type LiquidationResult,
} from '../../src/protocols/compound-v2/liquidation.js';
import {
  borrowBalance,
  type CompoundAccount,
  type CompoundMarket,
  type MarketConditions,
} from '../../src/protocols/compound-v2/market.js';
import { balancesRead, liquidityRead } from '../../src/protocols/compound-v2/reads.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import { each, readAt } from '../../src/rpc/chain/read.js';
import type { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';
import type { SimulatedCall } from '../../src/rpc/chain/simulate.js';
import { chainOf } from '../../testing/chain.js';
import { codeOf, eventOf, eventsOf, MARKET, textOf, words } from '../../testing/compound-answers.js';
import { CompoundWorld } from '../../testing/compound-world.js';
import { SeededRandom } from '../../devnet/random.js';

/** Another seed: DIFFERENTIAL_SEED=… npx vitest run test/differential/compound */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 20_261_129);
/** Liquidations for each of the two clocks. */
const CASES = Number(process.env['DIFFERENTIAL_CASES'] ?? 150);
/** Each gives some five liquidations, more or fewer. */
const ACCOUNTS = Math.ceil(CASES / 5);
/** From the last block to the simulated one, seconds. */
const LATER = 7;

const BLOCKS_OF_A_YEAR = 2_102_400n;
/** Base rate, slopes and kink, wads of a year: 3e-6 for a block or second, where the market allows 5e-6. */
const HIGH_RATES = [3n * 10n ** 12n * BLOCKS_OF_A_YEAR, 10n ** 17n, 10n ** 17n, 8n * 10n ** 17n];

const CLOCKS = [
  { clock: 'block', name: 'the real Compound v2, with interest by the block' },
  { clock: 'timestamp', name: 'the same code with interest by the second' },
] as const;

describe.each(CLOCKS)(`$name, against our own maths (seed ${SEED})`, ({ clock }) => {
  let devnet: Devnet;
  let chain: Chain;
  let pool: RpcPool;
  let reader: CompoundV2Reader;
  let world: CompoundWorld;
  let liquidator: Address;
  const seeded = new SeededRandom(SEED);
  const random = (): number => seeded.next();

  beforeAll(async () => {
    devnet = await startDevnet();
    ({ chain, pool } = chainOf(devnet));
    reader = new CompoundV2Reader(chain);
    world = await CompoundWorld.on(devnet, clock, random);
    liquidator = toAddress(devnet.accounts.trader);
    await world.equip(liquidator);
    const block = await chain.getBlock('latest');
    const { mTokens } = await reader.market('compound', world.on.comptroller, block.hash);
    const rateModels = new Set([...mTokens.values()].map(({ rateModel }) => rateModel));
    await world.govern([
      // Reserves grow at different rates.
      ...world.on.markets.map(({ mToken }, index) => ({
        ...{ to: mToken, method: '_setReserveFactor', args: [BigInt(index) * 7n * 10n ** 16n] },
      })),
      // A few blocks bring as much interest as a year.
      ...[...rateModels].map((to) => ({ to, method: 'updateJumpRateModel', args: HIGH_RATES })),
    ]);
    await world.open(ACCOUNTS);
    await pass(300);
    await world.repaySome(await debtsOnChain());
    await pass(1_000);
  }, 120_000);

  afterAll(async () => {
    pool.close();
    await devnet.stop();
  });

  it('has every balance, membership and debt as the markets have them, from the logs alone', async () => {
    expect(await compareBooks()).toBeGreaterThan(ACCOUNTS);
  });

  it('has the liquidity of every account as getAccountLiquidity has it', async () => {
    await compareLiquidity();
  });

  it('says of each liquidation what the contracts do: code, seized, protocol share, redeemed, what is left', async () => {
    await devnet.setPrices({
      WETH: 260_000_000_000n,
      cbETH: 274_000_000_000n,
      cbBTC: 9_800_000_000_000n,
      USDC: 99_700_000n,
    });
    await pass(1_000);
    await compareLiquidity();
    const found = { allowed: 0, code3: 0, code17: 0, tooMuch: 0, second: 0, hidden: 0 };
    const { block, market, accounts, conditions } = await snapshot();
    for (const account of accounts) {
      const position = valued(market, account, conditions);
      for (const debt of debtsOf(position))
        for (const collateral of collateralsOf(position)) {
          if (debt.isNative) continue;
          const pair = { position, collateral: collateral.mToken, debt: debt.mToken };
          const context = `${account.address} ${collateral.symbol}/${debt.symbol}`;
          expect(healthFactorOfPair(pair) < 10n ** 18n, context).toBe(isOpen(pair));
          expect(lowestHealthFactor(position), context).toBeLessThanOrEqual(healthFactorOfPair(pair));
          const viewed = liquidityOf(position, []);
          if (isOpen(pair) && viewed.sumCollateral >= viewed.sumBorrow) found.hidden += 1;
          const amounts = amountsOf(pair);
          // One refusal is as good as another.
          for (const amount of isOpen(pair) ? amounts : amounts.slice(0, 1)) {
            const ours = liquidate(pair, amount);
            const where = `${context} ${amount}`;
            const second = typeof ours === 'object' ? secondOf(ours) : undefined;
            const calls = callsOf(account.address, pair, amount, ours, second);
            const answers = await simulate(block, calls);
            if (ours === 'seizes-too-much') {
              expect(answers[0]?.success, where).toBe(false);
              expect(textOf(answers[0]), where).toBe('LIQUIDATE_SEIZE_TOO_MUCH');
              found.tooMuch += 1;
            } else if (typeof ours === 'number') {
              expect(answers[0]?.success, where).toBe(true);
              expect(codeOf(answers[0]), where).toBe(ours);
              found[ours === 3 ? 'code3' : 'code17'] += 1;
            } else if (typeof ours === 'object') {
              compareResult(answers, account.address, ours, where);
              found.allowed += 1;
              if (second) {
                compareSecond(answers.slice(5), second, where);
                found.second += 1;
              }
            } else expect.fail(`${where}: ${ours}`);
          }
        }
    }
    const cases = found.allowed + found.code3 + found.code17 + found.tooMuch;
    console.log(`${clock}: ${cases} liquidations, 0 differ:`, JSON.stringify(found));
    expect(cases).toBeGreaterThanOrEqual(CASES / 2);
    for (const count of Object.values({ ...found, hidden: 1 })) expect(count).toBeGreaterThan(0);
  }, 600_000);

  /** So many blocks, and as many seconds. */
  async function pass(count: number): Promise<void> {
    await devnet.rpc('anvil_mine', [`0x${count.toString(16)}`, '0x1']);
  }

  async function snapshot(): Promise<{
    block: Block;
    market: CompoundMarket;
    conditions: MarketConditions;
    accounts: CompoundAccount[];
  }> {
    const block = await chain.getBlock('latest');
    const market = await reader.market('compound', world.on.comptroller, block.hash);
    expect(market.clock).toBe(clock);
    // anvil simulates a block with the number of its parent.
    const at = clock === 'block' ? block.number : block.timestamp + LATER;
    const conditions = await reader.conditions(market, BigInt(at), block.hash);
    return { block, market, conditions, accounts: await accountsByLogs(market, block) };
  }

  /** The accounts as the logs alone make them: no function of a market tells the index of a debt. */
  async function accountsByLogs(market: CompoundMarket, block: Block): Promise<CompoundAccount[]> {
    const addresses = [...watchedLogs(market).keys()];
    const logs = await chain.getLogs({ fromBlock: 0, toBlock: block.number }, addresses, []);
    for (const log of logs) checkLog(log);
    const of = new Set(world.accounts);
    const { changed, contradicted } = applyChanges(changesOf(market, logs, new Map()).accounts, (address) =>
      of.has(address) ? { address, legs: [] } : undefined,
    );
    expect(contradicted.size).toBe(0);
    return world.accounts.flatMap((address) => changed.get(address) ?? []);
  }

  /** @returns how many balances were compared */
  async function compareBooks(): Promise<number> {
    const { block, market, conditions, accounts } = await snapshot();
    const onChain = await reader.accounts(market, world.accounts, block.hash);
    let compared = 0;
    for (const [index, account] of accounts.entries()) {
      const asRead = account.legs.map(({ mTokenId, entered, tokens, ...debt }) => {
        const totals = conditions.states.get(mTokenId)?.totals;
        if (!totals) throw new Error('a market is not known');
        const principal = borrowBalance(debt, totals);
        compared += 1;
        return { mTokenId, entered, tokens, principal, interestIndex: principal && totals.borrowIndex };
      });
      expect(asRead, account.address).toEqual(onChain[index]?.legs);
    }
    expect(accounts.length).toBe(ACCOUNTS);
    return compared;
  }

  async function compareLiquidity(): Promise<void> {
    const { block, market, conditions, accounts } = await snapshot();
    const reads = each(accounts.map(({ address }) => liquidityRead(market.comptroller, address)));
    const onChain = await readAt(chain, reads, block.hash);
    for (const [index, account] of accounts.entries()) {
      const { sumCollateral, sumBorrow } = liquidityOf(valued(market, account, conditions), []);
      const left = sumCollateral - sumBorrow;
      expect(onChain[index], account.address).toEqual({
        error: 0n,
        liquidity: left > 0n ? left : 0n,
        shortfall: left > 0n ? 0n : -left,
      });
    }
    expect(onChain.length).toBe(ACCOUNTS);
  }

  async function debtsOnChain(): Promise<Map<Address, { mToken: Address; debt: bigint }[]>> {
    const { block } = await snapshot();
    const owed = new Map<Address, { mToken: Address; debt: bigint }[]>();
    for (const account of world.accounts) {
      const reads = each(world.on.markets.map(({ mToken }) => balancesRead(mToken, account)));
      const balances = await readAt(chain, reads, block.hash);
      const debts = world.on.markets.map(({ mToken }, index) => ({
        mToken,
        debt: balances[index]?.debt ?? 0n,
      }));
      owed.set(
        account,
        debts.filter(({ debt }) => debt > 0n),
      );
    }
    return owed;
  }

  /** Amounts around every border, and random ones. */
  function amountsOf(pair: Pair): bigint[] {
    const most = mostRepayable(pair);
    const held = pair.position.legs.find(({ mToken }) => mToken === pair.collateral)?.tokens ?? 0n;
    const all = mostDebtForTokens(pair, held);
    const amounts = [most, most + 1n, world.part(most, 0, 1), world.part(most, 0, 0.01), 1n];
    if (all !== undefined && all > 0n) amounts.push(all, all + 1n);
    return [...new Set(amounts)].filter((amount) => amount > 0n);
  }

  /** Another liquidation of the position after a first one, in the same block. */
  function secondOf({ after }: LiquidationResult): Second | undefined {
    const pairs = debtsOf(after).flatMap((debt) =>
      collateralsOf(after).map((collateral) => ({
        position: after,
        collateral: collateral.mToken,
        debt: debt.mToken,
      })),
    );
    const usable = pairs.filter(
      (one) => !debtsOf(after).some((debt) => debt.isNative && debt.mToken === one.debt),
    );
    const pair = usable[Math.floor(random() * usable.length)];
    if (!pair) return undefined;
    const amount = world.part(mostRepayable(pair), 0.2, 1);
    return { pair, amount, ours: liquidate(pair, amount) };
  }

  function callsOf(
    borrower: Address,
    pair: Pair,
    amount: bigint,
    ours: ReturnType<typeof liquidate>,
    second: Second | undefined,
  ): { to: Address; data: Hex }[] {
    const call = (to: Address, method: string, ...args: unknown[]): { to: Address; data: Hex } => ({
      to,
      data: hexOf(MARKET.encodeFunctionData(method, args)),
    });
    const first = call(pair.debt, 'liquidateBorrow', borrower, amount, pair.collateral);
    if (typeof ours !== 'object') return [first];
    return [
      first,
      call(pair.collateral, 'redeem', ours.tokensSeized - ours.protocolTokens),
      call(world.on.comptroller, 'getAccountLiquidity', borrower),
      call(pair.debt, 'borrowBalanceStored', borrower),
      call(pair.collateral, 'balanceOf', borrower),
      ...(second
        ? [call(second.pair.debt, 'liquidateBorrow', borrower, second.amount, second.pair.collateral)]
        : []),
    ];
  }

  function compareResult(
    answers: SimulatedCall[],
    borrower: Address,
    ours: LiquidationResult,
    where: string,
  ): void {
    const [liquidated, redeemed, liquidity, debt, tokens] = answers;
    expect(liquidated?.success ? codeOf(liquidated) : textOf(liquidated), where).toBe(0);
    const event = eventOf(liquidated, 'LiquidateBorrow');
    expect(event?.args['repaid'], where).toBe(ours.debtCovered);
    expect(event?.args['seized'], where).toBe(ours.tokensSeized);
    const moved = eventsOf(liquidated, 'Transfer')
      .filter(({ args }) => toAddress(String(args['from'])) === borrower)
      .map(({ args }) => args['amount'] as bigint);
    expect(moved, where).toEqual([ours.tokensSeized - ours.protocolTokens, ours.protocolTokens]);
    expect(redeemed?.success, `${where}: redeem`).toBe(true);
    expect(eventOf(redeemed, 'Redeem')?.args['paid'], where).toBe(ours.collateralSeized);
    const { sumCollateral, sumBorrow } = liquidityOf(ours.after, []);
    const left = sumCollateral - sumBorrow;
    expect(words(liquidity), where).toEqual([0n, left > 0n ? left : 0n, left > 0n ? 0n : -left]);
    const leg = (of: string | undefined): Position['legs'][number] | undefined =>
      ours.after.legs.find(({ mToken }) => mToken === of);
    const [debtLeg, heldLeg] = [leg(liquidated?.logs.at(-1)?.address), leg(redeemed?.logs.at(-1)?.address)];
    if (debtLeg) expect(words(debt), where).toEqual([borrowBalance(debtLeg, debtLeg.stored)]);
    if (heldLeg) expect(words(tokens), where).toEqual([heldLeg.tokens]);
    expect(Boolean(debtLeg && heldLeg), where).toBe(true);
  }

  function compareSecond([answer]: SimulatedCall[], { ours }: Second, where: string): void {
    const context = `${where}: second`;
    if (ours === 'seizes-too-much') expect(textOf(answer), context).toBe('LIQUIDATE_SEIZE_TOO_MUCH');
    else if (typeof ours === 'number') expect(codeOf(answer), context).toBe(ours);
    else if (typeof ours === 'object') {
      expect(answer?.success ? codeOf(answer) : textOf(answer), context).toBe(0);
      expect(eventOf(answer, 'LiquidateBorrow')?.args['seized'], context).toBe(ours.tokensSeized);
    } else expect.fail(`${context}: ${ours}`);
  }

  function simulate(block: Block, calls: readonly { to: Address; data: Hex }[]): Promise<SimulatedCall[]> {
    return chain.simulateV1(
      calls.map((call) => ({ ...call, from: liquidator, gas: 3_000_000n })),
      block.hash,
      { blockOverrides: { timestamp: block.timestamp + LATER }, deadlineMs: 20_000 },
    );
  }
});

interface Pair {
  readonly position: Position;
  readonly collateral: Address;
  readonly debt: Address;
}

interface Second {
  readonly pair: Pair;
  readonly amount: bigint;
  readonly ours: ReturnType<typeof liquidate>;
}

function valued(market: CompoundMarket, account: CompoundAccount, conditions: MarketConditions): Position {
  const position = positionOf(market, account, conditions);
  if ('priceMissing' in position) throw new Error(`no price for ${position.priceMissing.symbol}`);
  return position;
}

function hexOf(text: string): Hex {
  return `0x${text.slice(2)}`;
}
