import { dataSlice, id, Interface, parseEther, toQuantity } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  amountWorth,
  initialPrices,
  startDevnet,
  TOKEN_SYMBOLS,
  type BlockTransaction,
  type Devnet,
  type TokenSymbol,
} from '../../devnet/index.js';
import { SeededRandom } from '../../devnet/random.js';
import { toAddress, type Address } from '../../src/domain/hex.js';
import type { CompoundMarketView } from '../../src/protocols/compound-v2/at-risk.js';
import { CompoundV2Reader } from '../../src/protocols/compound-v2/compound-v2.reader.js';
import { liquidityOf, positionOf } from '../../src/protocols/compound-v2/health.js';
import { borrowBalance } from '../../src/protocols/compound-v2/market.js';
import { liquidityRead } from '../../src/protocols/compound-v2/reads.js';
import { each, readAt } from '../../src/rpc/chain/read.js';
import { ALL_POSITIONS } from '../../testing/aave-state.js';
import { chainOf } from '../../testing/chain.js';
import { compoundState, type CompoundState } from '../../testing/compound-state.js';
import { configOf } from '../../testing/devnet-config.js';
import { reached } from '../../testing/state.js';
import { startCheckpoints, type Checkpoints } from '../../testing/checkpoints.js';

/**
 * Repeat a failing run with its seed, or make a longer one: PROPERTY_SEED=… PROPERTY_ACTIONS=… npx vitest run
 * test/property/compound-v2
 */
const SEED = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 1_000_000);
const ACTIONS = Math.ceil(Number(process.env['PROPERTY_ACTIONS'] ?? 120));
const USERS = 8;
const DEEPEST_REORG = 5;

const CALLS = new Interface([
  'function mint(uint256)',
  'function mint()',
  'function redeem(uint256)',
  'function borrow(uint256)',
  'function repayBorrow(uint256)',
  'function repayBorrow()',
  'function transfer(address,uint256)',
  'function approve(address,uint256)',
  'function deposit()',
  'function enterMarkets(address[])',
  'function exitMarket(address)',
  'function accrueInterest()',
  'function liquidateBorrow(address,uint256,address)',
  'function _setCollateralFactor(address,uint256)',
  'function _setCloseFactor(uint256)',
  'function _setLiquidationIncentive(uint256)',
  'function _setSeizePaused(bool)',
  'function _setReserveFactor(uint256)',
  'function _reduceReserves(uint256)',
  'function updateJumpRateModel(uint256,uint256,uint256,uint256)',
]);
const MINTABLE = new Interface(['function mint(address,uint256)']);

interface Listed {
  readonly mToken: string;
  readonly symbol: TokenSymbol;
  readonly isNative: boolean;
}

let devnet: Devnet;
let checkpoints: Checkpoints;
let connection: ReturnType<typeof chainOf>;
let listed: Listed[];
let users: string[];
let rateModel: Address;
const random = new SeededRandom(SEED);
const counts = new Map<string, number>();

beforeAll(async () => {
  [checkpoints, devnet] = await Promise.all([startCheckpoints(), startDevnet()]);
  connection = chainOf(devnet);
  const { mTokens, mNative, comptroller } = devnet.addresses;
  listed = TOKEN_SYMBOLS.map((symbol) => ({ mToken: mTokens[symbol], symbol, isNative: false }));
  listed.push({ mToken: mNative, symbol: 'WETH', isNative: true });
  users = Array.from({ length: USERS }, (_, index) => dataSlice(id(`compound user ${index}`), 12));
  const { chain } = connection;
  const head = await chain.getBlock('latest');
  const market = await new CompoundV2Reader(chain).market('compound', toAddress(comptroller), head.hash);
  rateModel = [...market.mTokens.values()][0]!.rateModel;
  await equip();
});

afterAll(async () => {
  connection.pool.close();
  await devnet.stop();
  await checkpoints.stop();
});

describe(`the markets of a Comptroller on a chain of random actions (seed ${SEED})`, () => {
  it(
    `have every position as the chain has it, to the unit, after each block, over ${ACTIONS} actions`,
    async () => {
      const { chain } = connection;
      const config = configOf(devnet);
      const comptroller = toAddress(devnet.addresses.comptroller);
      let store = checkpoints.open();
      const opened = (): CompoundState => compoundState(chain, config, comptroller, store, ALL_POSITIONS);
      let state = opened();
      await state.engine.start(await chain.getBlock('latest'));
      await compare(state);
      let actions = 0;
      let compared = 0;
      const written: BlockTransaction[][] = [];
      const opening = users.map(openingOf);
      // Each comes at random, and at the latest after so many blocks.
      const due = { reorg: 20, restart: 25 };
      while (actions < ACTIONS) {
        due.reorg -= 1;
        due.restart -= 1;
        if (written.length > 0 && (due.reorg <= 0 || random.chance(0.06))) {
          due.reorg = 20;
          const depth = random.integer(1, Math.min(DEEPEST_REORG, written.length));
          const gone = written.splice(written.length - depth);
          const blocks = gone.map((block) => block.filter(() => random.chance(0.5)));
          await devnet.reorg(blocks, random.integer(1, 30));
          written.push(...blocks);
          counts.set('reorg', (counts.get('reorg') ?? 0) + 1);
        } else {
          const head = await chain.getBlock('latest');
          const block = opening.pop() ?? Array.from({ length: random.integer(0, 4) }, () => action()).flat();
          const pause = random.chance(0.6) ? 2 : random.integer(1, 400_000);
          const receipts = await devnet.mineBlock(block, head.timestamp + pause);
          actions += receipts.length;
          written.push(block);
        }
        if (random.chance(0.3)) await movePrice(written);
        reached(await state.engine.advance(await chain.getBlock('latest')));
        compared += await compare(state);
        if (due.restart <= 0 || random.chance(0.04)) {
          due.restart = 25;
          await store.settled();
          store = checkpoints.open();
          state = opened();
          await state.engine.start(await chain.getBlock('latest'));
          compared += await compare(state);
          counts.set('restart', (counts.get('restart') ?? 0) + 1);
        }
      }
      console.log(`${compared} positions compared, ${JSON.stringify(Object.fromEntries(counts))}`);
      expect(compared).toBeGreaterThan(ACTIONS / 2);
      expect(counts.get('reorg')).toBeGreaterThan(0);
      expect(counts.get('restart')).toBeGreaterThan(0);
    },
    120_000 + ACTIONS * 200,
  );
});

/** @returns how many positions were compared */
async function compare({ market, engine, backfill, doubts }: CompoundState): Promise<number> {
  await backfill.release();
  expect(doubts.takeContradicted(), 'the logs took more than the books held').toEqual([]);
  const { view } = engine;
  if (!view) throw new Error('the engine has no view');
  const { chain } = connection;
  const { block } = view;
  const seen: CompoundMarketView = view.of(market);
  const where = `seed ${SEED}, block ${block.number}`;
  const reader = new CompoundV2Reader(chain);
  const onChain = await reader.market('compound', seen.market.comptroller, block.hash);
  expect(seen.market, where).toEqual(onChain);
  const at = BigInt(block.number);
  const conditions = await reader.conditions(onChain, at, block.hash);
  expect(seen.conditions, where).toEqual(conditions);

  const addresses = users.map(toAddress);
  const [accounts, liquidities] = await Promise.all([
    reader.accounts(onChain, addresses, block.hash),
    readAt(chain, each(addresses.map((user) => liquidityRead(onChain.comptroller, user))), block.hash),
  ]);
  let compared = 0;
  for (const [index, theirs] of accounts.entries()) {
    const context = `${where}, ${theirs.address}`;
    const owes = theirs.legs.some(({ principal }) => principal > 0n);
    const ours = market.account(theirs.address);
    expect(ours !== undefined, context).toBe(owes);
    if (!ours) continue;
    const asRead = ours.legs.map((leg) => {
      const totals = conditions.states.get(leg.mTokenId)!.totals;
      const principal = borrowBalance(leg, totals);
      return { ...leg, principal, interestIndex: leg.principal === 0n ? 0n : totals.borrowIndex };
    });
    expect(asRead, context).toEqual(theirs.legs);
    compared += 1;
    const position = positionOf(onChain, ours, seen.conditions);
    const liquidity = liquidities[index];
    if ('priceMissing' in position) expect(liquidity?.error, context).toBe(13n);
    else {
      const { sumCollateral, sumBorrow } = liquidityOf(position, []);
      const left = sumCollateral - sumBorrow;
      const expected = { error: 0n, liquidity: left > 0n ? left : 0n, shortfall: left > 0n ? 0n : -left };
      expect(liquidity, context).toEqual(expected);
      if (sumBorrow > 0n) expect(seen.positions.has(ours.address), context).toBe(true);
    }
  }
  const comparison = await readAt(chain, market.comparison(seen, 10_000, []), block.hash);
  expect(comparison, where).toMatchObject({ divergences: [], wrongPrices: [] });
  const debts = market.debts(block);
  if (debts) expect(await readAt(chain, debts, block.hash), where).toEqual([]);
  return compared;
}

/** The first calls of a user: two collaterals and a debt. */
function openingOf(from: string): BlockTransaction[] {
  const markets = [...listed].sort(() => random.next() - 0.5);
  const { comptroller } = devnet.addresses;
  const supplied = markets.filter(({ isNative }) => !isNative).slice(0, 2);
  const call = (to: string, method: string, args: unknown[]): BlockTransaction => ({
    ...{ from, to, data: CALLS.encodeFunctionData(method, args) },
  });
  return [
    ...supplied.map((market) => call(market.mToken, 'mint(uint256)', [worth(market, 10_000)])),
    call(comptroller, 'enterMarkets', [supplied.map(({ mToken }) => mToken)]),
    ...markets.slice(0, 2).map((market) => call(market.mToken, 'borrow', [worth(market, 6_000)])),
  ];
}

/** A random action of a user or of the owner, as the calls that it takes. */
function action(): BlockTransaction[] {
  const from = pick(users);
  const market = pick(listed);
  const other = pick(listed);
  const { comptroller } = devnet.addresses;
  const { deployer } = devnet.accounts;
  const call = (to: string, method: string, args: unknown[], valueWei = 0n, by = from): BlockTransaction => ({
    ...{ from: by, to, valueWei, data: CALLS.encodeFunctionData(method, args) },
  });
  const amount = worth(market, 10 ** random.between(0, 4));
  const wad = (least: number, most: number): bigint =>
    BigInt(Math.floor(random.between(least, most) * 1e9)) * 10n ** 9n;
  const kinds: Record<string, () => BlockTransaction[]> = {
    mint: () => [
      market.isNative
        ? call(market.mToken, 'mint()', [], amount)
        : call(market.mToken, 'mint(uint256)', [amount]),
    ],
    enter: () => [call(comptroller, 'enterMarkets', [[market.mToken, other.mToken]])],
    exit: () => [call(comptroller, 'exitMarket', [market.mToken])],
    borrow: () => [call(market.mToken, 'borrow', [worth(market, 10 ** random.between(0, 3))])],
    repay: () => [
      market.isNative
        ? call(market.mToken, 'repayBorrow()', [], worth(market, 10 ** random.between(0, 2)))
        : call(market.mToken, 'repayBorrow(uint256)', [
            random.chance(0.3) ? 2n ** 256n - 1n : worth(market, 10 ** random.between(0, 3)),
          ]),
    ],
    redeem: () => [call(market.mToken, 'redeem', [BigInt(random.integer(1, 2_000_000_000))])],
    transfer: () => [
      call(market.mToken, 'transfer', [pick(users), BigInt(random.integer(0, 1_000_000_000))]),
    ],
    liquidate: () =>
      market.isNative
        ? []
        : [
            call(market.mToken, 'liquidateBorrow', [
              pick(users),
              worth(market, 10 ** random.between(-1, 2)),
              other.mToken,
            ]),
          ],
    accrue: () => [call(market.mToken, 'accrueInterest', [])],
    // Tokens that nobody supplied: only the cash tells.
    donate: () =>
      market.isNative
        ? []
        : [
            call(devnet.tokens[market.symbol].address, 'transfer', [market.mToken, amount]),
            call(market.mToken, 'accrueInterest', []),
          ],
    collateralFactor: () => [
      call(comptroller, '_setCollateralFactor', [market.mToken, wad(0.5, 0.88)], 0n, deployer),
    ],
    closeFactor: () => [call(comptroller, '_setCloseFactor', [wad(0.1, 0.9)], 0n, deployer)],
    incentive: () => [call(comptroller, '_setLiquidationIncentive', [wad(1.02, 1.2)], 0n, deployer)],
    pause: () => [call(comptroller, '_setSeizePaused', [random.chance(0.3)], 0n, deployer)],
    reserveFactor: () => [call(market.mToken, '_setReserveFactor', [wad(0, 0.5)], 0n, deployer)],
    reduceReserves: () => [
      call(market.mToken, '_reduceReserves', [BigInt(random.integer(1, 1_000_000))], 0n, deployer),
    ],
    rates: () => [
      call(
        rateModel,
        'updateJumpRateModel',
        [wad(0, 0.2), wad(0.01, 0.5), wad(1, 3), wad(0.5, 0.9)],
        0n,
        deployer,
      ),
    ],
  };
  const often = [
    'mint',
    'mint',
    'enter',
    'borrow',
    'borrow',
    'borrow',
    'repay',
    'redeem',
    'transfer',
    'liquidate',
    'liquidate',
    'accrue',
    'exit',
    'donate',
  ];
  const name = random.chance(0.15) ? pick(Object.keys(kinds)) : pick(often);
  counts.set(name, (counts.get(name) ?? 0) + 1);
  return kinds[name]?.() ?? [];
}

/** A price moves in a block of its own, which no reorg here takes back. */
async function movePrice(written: BlockTransaction[][]): Promise<void> {
  const symbol = pick(TOKEN_SYMBOLS);
  const before = initialPrices()[symbol];
  await devnet.setPrice(symbol, (before * BigInt(random.integer(88, 112))) / 100n);
  written.length = 0;
  counts.set('price', (counts.get('price') ?? 0) + 1);
}

async function equip(): Promise<void> {
  const { deployer } = devnet.accounts;
  for (const user of [...users, deployer])
    await devnet.rpc('anvil_setBalance', [user, toQuantity(parseEther('1000000'))]);
  const calls = users.flatMap((from) =>
    listed.flatMap(({ mToken, symbol, isNative }): BlockTransaction[] => {
      if (isNative) return [];
      const { address: to } = devnet.tokens[symbol];
      const plenty = worth({ symbol }, 10_000_000);
      return [
        symbol === 'WETH'
          ? { from, to, data: CALLS.encodeFunctionData('deposit'), valueWei: plenty }
          : { from: deployer, to, data: MINTABLE.encodeFunctionData('mint', [from, plenty]) },
        { from, to, data: CALLS.encodeFunctionData('approve', [mToken, 2n ** 255n]) },
      ];
    }),
  );
  for (let at = 0; at < calls.length; at += 20) {
    const { timestamp } = await connection.chain.getBlock('latest');
    await devnet.mineBlock(calls.slice(at, at + 20), timestamp + 2);
  }
}

function worth({ symbol }: Pick<Listed, 'symbol'>, dollars: number): bigint {
  return amountWorth(symbol, BigInt(Math.floor(dollars * 1e8)), initialPrices()[symbol]);
}

function pick<T>(from: readonly T[]): T {
  return from[random.integer(0, from.length - 1)]!;
}
