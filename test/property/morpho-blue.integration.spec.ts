import { MaxUint256, parseEther, toQuantity } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlockTransaction } from '../../devnet/chain/written-blocks.js';
import { startDevnet, TOKEN_SYMBOLS, type Devnet, type MorphoMarket } from '../../devnet/index.js';
import { SeededRandom } from '../../devnet/random.js';
import type { Block } from '../../src/domain/block.js';
import { toAddress, uintWord, type Address, type Hash } from '../../src/domain/hex.js';
import { healthOf, isLiquidatable } from '../../src/protocols/morpho-blue/health.js';
import {
  accrued,
  marketIdOf,
  type BluePosition,
  type MarketParams,
} from '../../src/protocols/morpho-blue/market.js';
import {
  positionRead,
  priceRead,
  rateAtTargetRead,
  totalsRead,
} from '../../src/protocols/morpho-blue/reads.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import { each, readAt, together } from '../../src/rpc/chain/read.js';
import type { StateView } from '../../src/state/state-view.js';
import { ALL_POSITIONS } from '../../testing/aave-state.js';
import { chainOf } from '../../testing/chain.js';
import { configOf } from '../../testing/devnet-config.js';
import { morphoSettings, morphoState, morphoView, type MorphoState } from '../../testing/morpho-state.js';
import { reached } from '../../testing/state.js';
import { startCheckpoints, type Checkpoints } from '../../testing/checkpoints.js';

/** Repeat a failing run with its seed, or make a longer one: PROPERTY_SEED=… PROPERTY_ACTIONS=… */
const SEED = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 1_000_000);
const ACTIONS = Number(process.env['PROPERTY_ACTIONS'] ?? 250);
const USERS = 12;

/** Another rate model, and an oracle of another kind: their code answers one number to everything. */
const OTHER_IRM: Address = '0x0000000000000000000000000000000000001a7e';
const OTHER_ORACLE: Address = '0x0000000000000000000000000000000000000a1c';
const ZERO_ADDRESS: Address = '0x0000000000000000000000000000000000000000';
/** 3 % a year, wad a second. */
const OTHER_RATE_WAD = 951_293_759n;

let devnet: Devnet;
let checkpoints: Checkpoints;
let connection: ReturnType<typeof chainOf>;

beforeAll(async () => {
  [checkpoints, devnet] = await Promise.all([startCheckpoints(), startDevnet()]);
  connection = chainOf(devnet);
});

afterAll(async () => {
  connection.pool.close();
  await devnet.stop();
  await checkpoints.stop();
});

describe(`the state of Morpho Blue on a chain of random actions (seed ${SEED})`, () => {
  it(
    `has every market and position as the chain has them, to the unit, after each block, over ${ACTIONS} actions`,
    async () => {
      const { chain } = connection;
      const world = await World.on(devnet, chain, SEED);
      const random = new SeededRandom(~SEED);
      const config = configOf(devnet);
      const settings = morphoSettings(devnet);
      let store = checkpoints.open();
      let state = morphoState(chain, config, settings, store, ALL_POSITIONS);
      const found = { positions: 0, unhealthy: 0, reorgs: 0, restarts: 0 };
      const compare = async (step: Promise<unknown>): Promise<void> => {
        const view = await whole(state, step);
        const { positions, unhealthy } = await world.compare(state, view);
        found.positions += positions;
        found.unhealthy += unhealthy;
      };
      await compare(state.engine.start(await chain.getBlock('latest')));
      while (world.actions < ACTIONS) {
        if (random.chance(0.06)) {
          await world.reorg(random.integer(1, 6));
          found.reorgs += 1;
        } else await world.block();
        const head = await chain.getBlock('latest');
        await compare(state.engine.advance(head).then(reached));
        if (!random.chance(0.03)) continue;
        await store.settled();
        store = checkpoints.open();
        state = morphoState(chain, config, settings, store, ALL_POSITIONS);
        await compare(state.engine.start(head));
        found.restarts += 1;
      }
      console.log(`seed ${SEED}: ${JSON.stringify({ ...found, events: Object.fromEntries(world.events) })}`);
      expect(found.positions).toBeGreaterThan(ACTIONS);
      if (ACTIONS < 1_000) return; // too few for everything to have happened
      for (const name of EVENTS) expect(world.events.get(name) ?? 0, name).toBeGreaterThan(0);
      for (const [name, count] of Object.entries(found)) expect(count, name).toBeGreaterThan(0);
    },
    60_000 + ACTIONS * 200,
  );
});

const EVENTS = [
  ...['Supply', 'Withdraw', 'Borrow', 'Repay', 'SupplyCollateral', 'WithdrawCollateral', 'Liquidate'],
  ...['AccrueInterest', 'SetFee'],
];

async function whole({ engine, backfill, doubts }: MorphoState, step: Promise<unknown>): Promise<StateView> {
  await step;
  await backfill.release();
  expect(doubts.takeContradicted(), 'the logs took more than the books held').toEqual([]);
  if (!engine.view) throw new Error('the engine has no view');
  return engine.view;
}

interface WorldMarket {
  readonly id: Hash;
  readonly params: MarketParams;
}

/** Random users of Morpho Blue. */
class World {
  actions = 0;
  /** How often each event was seen. */
  readonly events = new Map<string, number>();
  private readonly random: SeededRandom;
  private lastActions: BlockTransaction[][] = [];

  private constructor(
    private readonly devnet: Devnet,
    private readonly chain: Chain,
    private readonly users: readonly Address[],
    private readonly markets: readonly WorldMarket[],
    seed: number,
  ) {
    this.random = new SeededRandom(seed);
  }

  static async on(devnet: Devnet, chain: Chain, seed: number): Promise<World> {
    const users = Array.from(
      { length: USERS },
      (_, index): Address => `0x${(0xbeef00 + index).toString(16).padStart(40, '0')}`,
    );
    await equip(devnet, users);
    const world = new World(devnet, chain, users, await markets(devnet), seed);
    return world;
  }

  /** A block of some actions. */
  async block(): Promise<void> {
    const { timestamp } = await this.chain.getBlock('latest');
    const { random } = this;
    const pause = random.chance(0.7) ? 2 : random.integer(60, random.chance(0.2) ? 90 * 86_400 : 86_400);
    if (random.chance(0.15)) await this.movePrice();
    const transactions = await this.choose(random.integer(0, 8));
    const latest = await this.chain.getBlock('latest');
    this.note(await this.devnet.mineBlock(transactions, Math.max(timestamp + pause, latest.timestamp + 1)));
    this.lastActions = [...this.lastActions, transactions].slice(-6);
  }

  /** Replaces the last blocks by others, with some of their actions. */
  async reorg(depth: number): Promise<void> {
    const { random } = this;
    const gone = this.lastActions.slice(-depth);
    if (gone.length === 0) return this.block();
    const fresh = await this.choose(2);
    const blocks = gone.map((transactions, index) => [
      ...transactions.filter(() => random.chance(0.4)),
      ...(index === 0 ? fresh : []),
    ]);
    for (const receipts of await this.devnet.reorg(blocks, random.integer(1, 30))) this.note(receipts);
    this.lastActions = [];
  }

  /** @returns how many positions were compared, and how many are not healthy; a difference fails. */
  async compare(state: MorphoState, stateView: StateView): Promise<{ positions: number; unhealthy: number }> {
    const { block } = stateView;
    const view = morphoView(stateView);
    const contracts = morphoSettings(this.devnet);
    const pairs = this.users.flatMap((user) => this.markets.map(({ id }) => ({ user, id })));
    const [positions, totals, missing] = await readAt(
      this.chain,
      together(
        each(pairs.map(({ user, id }) => positionRead(contracts, id, user))),
        each(
          this.markets.map(({ id, params }) =>
            together(totalsRead(contracts, id), rateAtTargetRead(contracts, id), priceRead(params.oracle)),
          ),
        ),
        state.market.debts() ?? { calls: [], decode: () => undefined },
      ),
      block.hash,
    );
    const context = `seed ${SEED}, block ${block.number}, ${this.actions} actions`;
    expect(missing, `${context}: debts`).toEqual([]);
    let [compared, unhealthy] = [0, 0];
    for (const [index, { user, id }] of pairs.entries()) {
      const chain = positions[index];
      const ours = state.market.account(user)?.legs.find(({ marketId }) => marketId === id);
      if (!chain || chain.borrowShares === 0n) expect(ours, `${context}: ${user} ${id}`).toBeUndefined();
      else {
        expect(ours, `${context}: ${user} ${id}`).toEqual({ marketId: id, ...chain });
        compared += 1;
      }
    }
    for (const [index, { id, params }] of this.markets.entries()) {
      const followed = view.markets.get(id);
      const [onChain, rateAtTargetWad, price] = totals[index] ?? [];
      if (!followed || !onChain) continue;
      expect(followed.params, context).toEqual(params);
      const isTimed = params.irm !== ZERO_ADDRESS;
      expect(isTimed ? followed.totals : { ...followed.totals, lastUpdate: 0 }, `${context}: ${id}`).toEqual(
        isTimed ? onChain : { ...onChain, lastUpdate: 0 },
      );
      if (followed.rate.kind === 'adaptive-curve')
        expect(followed.rate.rateAtTargetWad, context).toBe(rateAtTargetWad);
      const valued = view.valued.get(id);
      if (valued) expect(valued.price, `${context}: price`).toBe(price);
      unhealthy += this.compareHealth(view, block, id, positions, pairs, price);
    }
    return { positions: compared, unhealthy };
  }

  private compareHealth(
    view: ReturnType<typeof morphoView>,
    block: Block,
    id: Hash,
    positions: readonly BluePosition[],
    pairs: readonly { readonly user: Address; readonly id: Hash }[],
    price: bigint | undefined,
  ): number {
    const followed = view.markets.get(id);
    if (!followed || price === undefined || !view.valued.has(id)) return 0;
    let unhealthy = 0;
    const asked = followed.rate.kind === 'asked' ? OTHER_RATE_WAD : undefined;
    const now = accrued(followed, block.timestamp, asked).totals;
    for (const [index, pair] of pairs.entries()) {
      const position = positions[index];
      if (pair.id !== id || !position || position.borrowShares === 0n) continue;
      const expected = healthOf(now, position, price, followed.params.lltvWad);
      const ours = view.positions.find((one) => one.borrower === pair.user && one.marketId === id);
      expect(ours?.health, `seed ${SEED}, block ${block.number}: ${pair.user} ${id}`).toEqual(expected);
      if (isLiquidatable(expected)) unhealthy += 1;
    }
    return unhealthy;
  }

  private note(receipts: Awaited<ReturnType<Devnet['mineBlock']>>): void {
    const { morpho } = this.devnet.contracts;
    this.actions += receipts.length;
    for (const { address, topics, data } of receipts.flatMap(({ logs }) => logs)) {
      if (toAddress(address) !== toAddress(this.devnet.addresses.morpho)) continue;
      const name = morpho.interface.parseLog({ topics, data })?.name ?? '';
      this.events.set(name, (this.events.get(name) ?? 0) + 1);
    }
  }

  private async movePrice(): Promise<void> {
    const { random, devnet } = this;
    const prices = await devnet.prices();
    const symbol = oneOf(random, ['WETH', 'cbETH', 'cbBTC'] as const);
    const factor = BigInt(random.integer(72, 125));
    await devnet.setPrice(symbol, (prices[symbol] * factor) / 100n);
    this.lastActions = [];
  }

  private async choose(howMany: number): Promise<BlockTransaction[]> {
    const chosen: BlockTransaction[] = [];
    for (let turn = 0; turn < howMany; turn++) chosen.push(await this.action());
    return chosen;
  }

  private async action(): Promise<BlockTransaction> {
    const { random, devnet } = this;
    const { morpho } = devnet.contracts;
    const { id, params } = oneOf(random, this.markets);
    const user = oneOf(random, this.users);
    const other = random.chance(0.8) ? user : oneOf(random, this.users);
    const args = [params.loanToken, params.collateralToken, params.oracle, params.irm, params.lltvWad];
    const to = devnet.addresses.morpho;
    const call = (method: string, values: readonly unknown[], from: string = user): BlockTransaction => ({
      ...{ from, to },
      data: morpho.interface.encodeFunctionData(method, [args, ...values]),
    });
    const { supplier } = devnet.accounts;
    const contracts = morphoSettings(devnet);
    const block = await this.chain.getBlock('latest');
    const [position, price] = await readAt(
      this.chain,
      together(positionRead(contracts, id, user), priceRead(params.oracle)),
      block.hash,
    );
    const worth = (position.collateral * (price ?? 0n) * params.lltvWad) / 10n ** 54n;
    const some = (of: bigint): bigint => (of * BigInt(random.integer(1, 100))) / 100n + 1n;
    const collateral =
      BigInt(Math.floor(random.magnitude(1e5, 1e12))) * (price && price < 10n ** 30n ? 10n ** 6n : 1n);
    const roll = random.integer(0, 99);
    if (roll < 15 || position.collateral === 0n)
      return call('supplyCollateral', [collateral, position.collateral === 0n ? user : other, '0x']);
    if (roll < 45) return call('borrow', [some(worth), 0n, user, other]);
    if (roll < 52)
      return call('repay', [0n, position.borrowShares + (random.chance(0.9) ? 0n : 1n), user, '0x']);
    if (roll < 59) return call('repay', [some(worth), 0n, other, '0x']);
    if (roll < 65) return call('withdrawCollateral', [some(position.collateral), user, other]);
    if (roll < 70) return call('supply', [some(10n ** 9n), 0n, user, '0x']);
    if (roll < 74) return call('withdraw', [some(10n ** 9n), 0n, supplier, supplier], supplier);
    if (roll < 82) return call('liquidate', [user, position.collateral, 0n, '0x'], oneOf(random, this.users));
    if (roll < 90)
      return call('liquidate', [user, 0n, position.borrowShares, '0x'], oneOf(random, this.users));
    if (roll < 94)
      return call('liquidate', [user, 0n, some(position.borrowShares), '0x'], oneOf(random, this.users));
    if (roll < 97) return call('accrueInterest', []);
    return call('setFee', [BigInt(random.integer(0, 250)) * 10n ** 15n], devnet.accounts.deployer);
  }
}

/** The markets of the local chain, one with neither interest nor feeds, and one whose rate is asked. */
async function markets(devnet: Devnet): Promise<WorldMarket[]> {
  const { deployer } = devnet.accounts;
  const { addresses, contracts, tokens } = devnet;
  const own = addresses.morphoMarkets.map(({ params }: MorphoMarket) => paramsOf(params));
  const btc = devnet.morphoMarket('cbBTC', 'USDC').params;
  await devnet.rpc('anvil_setCode', [OTHER_IRM, answering(OTHER_RATE_WAD)]);
  // 3,000 USDC for a WETH.
  await devnet.rpc('anvil_setCode', [OTHER_ORACLE, answering(3_000n * 10n ** 24n)]);
  const others = [
    { ...paramsOf(btc), irm: OTHER_IRM },
    {
      ...paramsOf(btc),
      collateralToken: toAddress(tokens.WETH.address),
      ...{ oracle: OTHER_ORACLE, irm: ZERO_ADDRESS },
    },
  ];
  const call = (method: string, values: readonly unknown[], from: string): BlockTransaction => ({
    ...{ from, to: addresses.morpho },
    data: contracts.morpho.interface.encodeFunctionData(method, [...values]),
  });
  const args = ({ loanToken, collateralToken, oracle, irm, lltvWad }: MarketParams): unknown[] => [
    [loanToken, collateralToken, oracle, irm, lltvWad],
  ];
  const { timestamp } = (await devnet.provider.getBlock('latest'))!;
  const receipts = await devnet.mineBlock(
    [
      call('enableIrm', [OTHER_IRM], deployer),
      call('enableIrm', [ZERO_ADDRESS], deployer),
      call('setFeeRecipient', [deployer], deployer),
      ...others.map((params) => call('createMarket', args(params), deployer)),
      ...others.map((params) => {
        const [given] = args(params);
        const values = [given, 10n ** 12n, 0n, devnet.accounts.supplier, '0x'];
        return call('supply', values, devnet.accounts.supplier);
      }),
    ],
    timestamp + 2,
  );
  expect(receipts.map(({ succeeded }) => succeeded)).toEqual(receipts.map(() => true));
  return [...own, ...others].map((params) => ({ id: marketIdOf(params), params }));
}

function paramsOf({ loanToken, collateralToken, oracle, irm, lltv }: MorphoMarket['params']): MarketParams {
  return {
    loanToken: toAddress(loanToken),
    collateralToken: toAddress(collateralToken),
    oracle: toAddress(oracle),
    irm: toAddress(irm),
    lltvWad: lltv,
  };
}

const answering = (value: bigint): string => `0x7f${uintWord(value)}5f5260205ff3`;

/** The users hold plenty of every token, and Morpho may take it. */
async function equip(devnet: Devnet, users: readonly Address[]): Promise<void> {
  const { deployer, supplier } = devnet.accounts;
  for (const account of [...users, supplier])
    await devnet.rpc('anvil_setBalance', [account, toQuantity(parseEther('100000'))]);
  const transactions: BlockTransaction[] = [];
  for (const symbol of TOKEN_SYMBOLS) {
    const token = devnet.token(symbol).interface;
    const { address: to, decimals } = devnet.tokens[symbol];
    for (const user of [...users, supplier]) {
      const approve = token.encodeFunctionData('approve', [devnet.addresses.morpho, MaxUint256]);
      const plenty = 10n ** BigInt(decimals) * 10_000_000n;
      transactions.push(
        symbol === 'WETH'
          ? { from: user, to, data: token.encodeFunctionData('deposit'), valueWei: parseEther('50000') }
          : { from: deployer, to, data: token.encodeFunctionData('mint', [user, plenty]) },
        { from: user, to, data: approve },
      );
    }
  }
  for (let at = 0; at < transactions.length; at += 20) {
    const { timestamp } = (await devnet.provider.getBlock('latest'))!;
    await devnet.mineBlock(transactions.slice(at, at + 20), timestamp + 2);
  }
}

function oneOf<T>(random: SeededRandom, of: readonly T[]): T {
  const one = of[random.integer(0, of.length - 1)];
  if (one === undefined) throw new RangeError('there is nothing to pick');
  return one;
}
