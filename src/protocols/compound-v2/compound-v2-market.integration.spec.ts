import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, TOKEN_SYMBOLS, type Devnet, type TokenSymbol } from '../../../devnet/index.js';
import { SeededRandom } from '../../../devnet/random.js';
import { LIQUIDATABLE } from '../../../testing/aave-state.js';
import { answersTo, answersWords } from '../../../testing/answering-code.js';
import { chainOf } from '../../../testing/chain.js';
import { startCheckpoints, type Checkpoints } from '../../../testing/checkpoints.js';
import { codeOf, eventOf, MARKET } from '../../../testing/compound-answers.js';
import { compoundState, type CompoundState } from '../../../testing/compound-state.js';
import { CompoundWorld } from '../../../testing/compound-world.js';
import { configOf } from '../../../testing/devnet-config.js';
import { disagreements, reached } from '../../../testing/state.js';
import type { AtRisk } from '../../domain/at-risk.js';
import type { Block } from '../../domain/block.js';
import { chainDescription } from '../../domain/chain-description.js';
import { toAddress, type Address, type Hex } from '../../domain/hex.js';
import { USD8, WAD } from '../../domain/money.js';
import type { SimulatedCall } from '../../rpc/chain/simulate.js';
import type { StateView } from '../../state/state-view.js';
import { applyChanges } from './account-changes.js';
import { opens } from './at-risk.js';
import { changesOf, watchedLogs } from './events.js';
import { lowestHealthFactor, positionOf } from './health.js';
import { CODE, compoundTerms, type CompoundV2Terms } from './liquidation.js';
import type { CompoundAccount, CompoundMarket, MarketConditions } from './market.js';
import { momentAt } from './openings.js';

/** Another run: DIFFERENTIAL_SEED=… npx vitest run src/protocols/compound-v2 */
const SEED = Number(process.env['DIFFERENTIAL_SEED'] ?? 20_261_129);
const ACCOUNTS = 16;
/** Of the next block, seconds after the last one. */
const NEXT = 2;
/** A price is set so that interest opens a position so many seconds after the price. */
const SOON = 14;
const LIMITS = { maxNotionalUsd8: 10n ** 12n * USD8, fundingHorizonSeconds: 60 };
const ENOUGH_GAS = 3_000_000n;
/** A code that says that it is a Comptroller, and answers an empty list to everything else. */
const NO_MARKETS = answersTo('isComptroller()', 1n, answersWords([32n, 0n]).slice(2));
const EMPTY_COMPTROLLER = toAddress(`0x${'ec'.repeat(20)}`);

let devnet: Devnet;
let connection: ReturnType<typeof chainOf>;
let checkpoints: Checkpoints;

beforeAll(async () => {
  [checkpoints, devnet] = await Promise.all([startCheckpoints(), startDevnet()]);
  connection = chainOf(devnet);
}, 120_000);

afterAll(async () => {
  connection.pool.close();
  await devnet.stop();
  await checkpoints.stop();
});

describe.each(['block', 'timestamp'] as const)(
  `the markets of a Comptroller that counts interest by %s (seed ${SEED})`,
  (clock) => {
    const seeded = new SeededRandom(SEED);
    let world: CompoundWorld;
    let state: CompoundState;
    let liquidator: Address;
    let clean: string;

    beforeAll(async () => {
      clean = await devnet.snapshot();
      world = await CompoundWorld.on(devnet, clock, () => seeded.next());
      liquidator = toAddress(devnet.accounts.trader);
      await world.equip(liquidator);
      const accruals = world.on.markets.map(({ mToken: to }) => ({ to, method: 'accrueInterest', args: [] }));
      // The logs tell the index of each debt, and later the index of its market is another one.
      await devnet.increaseTime(1_000);
      await world.govern(accruals);
      await world.open(ACCOUNTS);
      await devnet.increaseTime(100_000);
      await world.govern(accruals);
      const { chain } = connection;
      const store = checkpoints.open(clock === 'block' ? 31_337 : 31_338);
      state = compoundState(chain, configOf(devnet), world.on.comptroller, store, LIQUIDATABLE);
      await state.engine.start(await chain.getBlock('latest'));
      await state.backfill.release();
    }, 120_000);

    afterAll(() => devnet.revert(clean));

    /** What is near the edge is what a look at every account finds. */
    function expectNear(view: StateView): void {
      const belowWad = (105n * WAD) / 100n;
      const own = view.of(state.market);
      const { market, conditions } = own;
      const expected = world.accounts.flatMap((address) => {
        const account = state.market.account(address);
        const position = account && positionOf(market, account, conditions);
        if (!position || 'priceMissing' in position) return [];
        const healthFactorWad = lowestHealthFactor(position);
        return healthFactorWad < belowWad ? [{ borrower: address, healthFactorWad }] : [];
      });
      const found = [...own.near(belowWad)].flatMap((one) =>
        one ? [{ borrower: one.borrower, healthFactorWad: one.healthFactorWad }] : [],
      );
      const byBorrower = (a: { borrower: string }, b: { borrower: string }): number =>
        a.borrower < b.borrower ? -1 : 1;
      expect(found.toSorted(byBorrower)).toEqual(expected.toSorted(byBorrower));
    }

    it('give each debt of the history its principal and index, as the logs have them, from their storage', async () => {
      const { chain } = connection;
      const { market } = (await advance()).of(state.market);
      const { number: toBlock } = await chain.getBlock('latest');
      const logs = await chain.getLogs({ fromBlock: 0, toBlock }, [...watchedLogs(market).keys()], []);
      const { changed } = applyChanges(changesOf(market, logs, new Map()).accounts, (address) =>
        world.accounts.includes(address) ? { address, legs: [] } : undefined,
      );
      expect(changed.size).toBe(ACCOUNTS);
      for (const [address, logged] of changed) expect(state.market.account(address)).toEqual(logged);
    });

    it('are followed exactly by a state engine, while time passes, prices move and accounts borrow', async () => {
      expect(state.engine.incomplete).toEqual([]);
      const steps = [
        () => devnet.mine(3),
        () => world.open(2),
        () => devnet.increaseTime(100_000),
        () => setAnswer('WETH', 2_950n * USD8),
        () => world.open(1),
      ];
      for (const step of steps) {
        await step();
        const view = await advance();
        expect(view.of(state.market).market.clock).toBe(clock);
        expectNear(view);
        expect(await disagreements(state)).toEqual([]);
      }
      expect(state.engine.positionCount).toBe(ACCOUNTS + 3);
    });

    it('tell when interest alone opens a position: the Comptroller refuses right before, and allows it then', async () => {
      let checked = 0;
      for (const address of world.accounts) {
        const target = await priceThatOpensSoon(address);
        if (!target) continue;
        const { symbol, usd8 } = target;
        await setAnswer(symbol, usd8);
        const view = await advance();
        const told = [...view.of(state.market).aboutToOpen(LIMITS)];
        expect(told.map(({ borrower }) => borrower)).toContain(address);
        const seconds = told.map(({ schedule }) => schedule.opensAt);
        expect(seconds).toEqual(seconds.toSorted((one, other) => one - other));
        for (const one of told) checked += await compare(one, view.block);
        await advance();
      }
      console.log(`${clock}: ${checked} openings, told as the Comptroller has them`);
      expect(checked).toBeGreaterThan(2);
    }, 60_000);

    it('are examined at the start: what is wrong is one sentence', async () => {
      const asset = toAddress(devnet.tokens.USDC.address);
      await setAnswer('USDC', USD8);
      const { hash } = await connection.chain.getBlock('latest');
      expect(await state.market.examine(hash, asset)).toEqual({ problems: [], priceUsd8: USD8 });
      await setAnswer('cbBTC', 0n);
      const { hash: later } = await connection.chain.getBlock('latest');
      const { problems, priceUsd8 } = await state.market.examine(later, asset);
      expect(priceUsd8).toBe(USD8);
      expect(problems).toEqual([
        expect.stringMatching(/^protocols \(compound\): the oracle 0x\w{40} has no price for cbBTC/),
      ]);
    });

    /** @returns 1 where a liquidation was compared, 0 where our contract cannot pay for any */
    async function compare(one: AtRisk, { number, timestamp }: Block): Promise<number> {
      const { opensAt } = one.schedule;
      expect(opensAt).toBeGreaterThan(timestamp);
      expect(one.healthFactorWad).toBeLessThan(WAD);
      const [pair] = one.pairs;
      const [candidate] = pair?.candidates ?? [];
      if (!pair || !candidate) return 0;
      const terms = compoundTerms(pair.terms);
      const call = liquidationOf(one.borrower, terms, candidate.debtToCover);
      const [before, then] =
        clock === 'timestamp' ? await bySecond(call, opensAt) : await byBlock(call, blockOf(number));
      if (before) expect(codeOf(before), 'before').toBe(CODE.insufficientShortfall);
      expect(codeOf(then), 'then').toBe(0);
      expect(eventOf(then, 'LiquidateBorrow')?.args['repaid']).toBe(candidate.debtToCover);
      return 1;

      function blockOf(head: number): number {
        return Number(momentAt('block', { number: head, timestamp }, opensAt, blockTimeMs()));
      }
    }

    /** The same call in a block at the second before, where there is one, and in one at that second. */
    async function bySecond(call: Call, opensAt: number): Promise<(SimulatedCall | undefined)[]> {
      const { timestamp } = await connection.chain.getBlock('latest');
      const at = (second: number): Promise<SimulatedCall | undefined> => simulate(call, second);
      return [opensAt - 1 > timestamp ? await at(opensAt - 1) : undefined, await at(opensAt)];
    }

    /** The same call in the block before, where it is not past, and in that block. */
    async function byBlock(call: Call, block: number): Promise<(SimulatedCall | undefined)[]> {
      // The node simulates a block with the number of its parent.
      const { number } = await connection.chain.getBlock('latest');
      if (number > block) throw new Error('the positions were not told in the order of their times');
      if (number < block - 1) await devnet.mine(block - 1 - number);
      const before = number < block ? await simulate(call) : undefined;
      if (number < block) await devnet.mine();
      return [before, await simulate(call)];
    }

    async function simulate(call: Call, timestamp?: number): Promise<SimulatedCall | undefined> {
      const { hash } = await connection.chain.getBlock('latest');
      const calls = [{ ...call, from: liquidator, gas: ENOUGH_GAS }];
      const options = timestamp === undefined ? {} : { blockOverrides: { timestamp } };
      const [answer] = await connection.chain.simulateV1(calls, hash, options);
      return answer;
    }

    async function advance(): Promise<StateView> {
      return reached(await state.engine.advance(await connection.chain.getBlock('latest')));
    }

    /**
     * The price of one of its collaterals at which interest opens the position in {@link SOON} seconds, after
     * the block that sets the price; undefined where none does.
     */
    async function priceThatOpensSoon(
      address: Address,
    ): Promise<{ symbol: TokenSymbol; usd8: bigint } | undefined> {
      const view = await advance();
      const { market, conditions } = view.of(state.market);
      const account = state.market.account(address);
      if (!account) return undefined;
      const { number, timestamp } = view.block;
      const head = { number: number + 1, timestamp: timestamp + NEXT };
      const after = (seconds: number): bigint =>
        momentAt(clock, head, head.timestamp + seconds, blockTimeMs());
      const symbol = TOKEN_SYMBOLS.find((one) => isOnlyCollateral(market, account, one));
      if (!symbol) return undefined;
      const opensAt = (usd8: bigint, seconds: number): boolean => {
        const prices = pricesWith(market, conditions, symbol, usd8);
        const position = positionOf(market, account, { ...conditions, at: after(seconds), prices });
        return !('priceMissing' in position) && opens(position);
      };
      const now = (await devnet.prices())[symbol];
      let [open, closed] = [now / 4n, now * 4n];
      if (!opensAt(open, SOON) || opensAt(closed, SOON)) return undefined;
      while (closed - open > 1n) {
        const middle = (open + closed) / 2n;
        if (opensAt(middle, SOON)) open = middle;
        else closed = middle;
      }
      return opensAt(open, 0) ? undefined : { symbol, usd8: open };
    }
  },
);

describe('an address that is not a Comptroller with markets', () => {
  it.each([
    ['a token', () => devnet.tokens.USDC.address, 'does not say that it is a Comptroller (isComptroller)'],
    ['a Comptroller without markets', () => EMPTY_COMPTROLLER, 'has no markets'],
  ])('%s is refused with a sentence', async (_, of, sentence) => {
    await devnet.rpc('anvil_setCode', [EMPTY_COMPTROLLER, NO_MARKETS]);
    const { chain } = connection;
    const { market } = compoundState(
      ...[chain, configOf(devnet), toAddress(of()), checkpoints.open(31_339), LIQUIDATABLE],
    );
    const { hash } = await chain.getBlock('latest');
    const { problems } = await market.examine(hash, toAddress(devnet.tokens.USDC.address));
    expect(problems).toEqual([expect.stringContaining(sentence)]);
  });
});

interface Call {
  readonly to: Address;
  readonly data: Hex;
}

function liquidationOf(borrower: Address, { debt, collateral }: CompoundV2Terms, amount: bigint): Call {
  const data = MARKET.encodeFunctionData('liquidateBorrow', [borrower, amount, collateral]);
  return { to: debt, data: data as Hex };
}

function blockTimeMs(): number {
  return chainDescription(devnet.chainId).blockTimeMs;
}

/** Whether the account has it as collateral, and owes nothing of it. */
function isOnlyCollateral(
  { mTokens }: CompoundMarket,
  { legs }: CompoundAccount,
  symbol: TokenSymbol,
): boolean {
  const own = legs.filter(({ mTokenId }) => mTokens.get(mTokenId)?.symbol === symbol);
  return (
    own.some(({ entered, tokens }) => entered && tokens > 0n) && own.every((leg) => leg.principal === 0n)
  );
}

function pricesWith(
  { mTokens }: CompoundMarket,
  { prices }: MarketConditions,
  symbol: TokenSymbol,
  usd8: bigint,
): ReadonlyMap<number, bigint> {
  const own = [...mTokens.values()].filter((mToken) => mToken.symbol === symbol);
  return new Map([
    ...prices,
    ...own.map(({ id, decimals }) => [id, usd8 * 10n ** BigInt(28 - decimals)] as const),
  ]);
}

/** A price of the feed alone, in a block of its own, {@link NEXT} seconds after the last one. */
async function setAnswer(symbol: TokenSymbol, usd8: bigint): Promise<void> {
  const aggregator = devnet.aggregator(symbol);
  const data = aggregator.interface.encodeFunctionData('setAnswer', [usd8]) as Hex;
  const to = await aggregator.getAddress();
  const { timestamp } = await connection.chain.getBlock('latest');
  await devnet.mineBlock([{ from: devnet.accounts.deployer, to, data }], timestamp + NEXT);
}
