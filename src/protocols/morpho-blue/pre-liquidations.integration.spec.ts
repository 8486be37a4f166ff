import { Interface, type Contract } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet, type MorphoMarket } from '../../../devnet/index.js';
import { LIQUIDATABLE } from '../../../testing/aave-state.js';
import { answersAlways } from '../../../testing/answering-code.js';
import { chainOf } from '../../../testing/chain.js';
import { TestDatabase } from '../../../testing/database.js';
import { configOf } from '../../../testing/devnet-config.js';
import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { morphoSettings, morphoState, morphoView, type MorphoState } from '../../../testing/morpho-state.js';
import { Random } from '../../../testing/random.js';
import { reached } from '../../../testing/state.js';
import { MemoryCache } from '../../cache/index.js';
import { CheckpointsRepository } from '../../database/index.js';
import type { AtRisk } from '../../domain/at-risk.js';
import { toAddress, type Address, type Hex } from '../../domain/hex.js';
import { USD8, WAD } from '../../domain/money.js';
import { OPEN_NOW } from '../../domain/schedule.js';
import { readAt } from '../../rpc/chain/read.js';
import { CheckpointStore } from '../../state/checkpoint-store.js';
import { marketRead, positionRead } from './reads.js';
import { accrued } from './market.js';
import {
  preLiquidationTerms,
  preRepaidFor,
  preSeizedFor,
  type PreLiquidation,
  type PreLiquidationInputs,
} from './pre-liquidation.js';

const ETHER = 10n ** 18n;
const LIMITS = { maxNotionalUsd8: 2n ** 100n, fundingHorizonSeconds: 12 };
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;
/** The market's own limit is 86 %. */
const FACTORS = {
  preLltvWad: (80n * WAD) / 100n,
  closeFactorWads: [(10n * WAD) / 100n, (130n * WAD) / 100n],
  incentiveWads: [(101n * WAD) / 100n, (105n * WAD) / 100n],
} as const;

let devnet: Devnet;
let connection: ReturnType<typeof chainOf>;
let database: TestDatabase;
let state: MorphoState;
let factory: Contract;
let market: MorphoMarket;
let made: PreLiquidation;
let [willing, other]: Address[] = [];
const chainIds = { next: 31_338 };

beforeAll(async () => {
  [database, devnet] = await Promise.all([TestDatabase.start(), startDevnet()]);
  connection = chainOf(devnet);
  market = devnet.morphoMarket('WETH', 'USDC');
  factory = await devnet.deploy('PreLiquidationFactory', [devnet.addresses.morpho]);
  made = await make(toAddress(market.params.oracle));
  [willing, other] = [await borrow(), await borrow()];
  state = stateOf({ preLiquidationFactory: toAddress(await factory.getAddress()) });
  await state.engine.start(await connection.chain.getBlock('latest'));
  await state.backfill.release();
}, 120_000);

afterAll(async () => {
  connection.pool.close();
  await devnet.stop();
  await database.stop();
});

/** Of a chain of its own, so that it holds nothing yet. */
function stateOf(own: { readonly preLiquidationFactory?: Address }): MorphoState {
  const rows = new CheckpointsRepository(database.database, chainIds.next++);
  const store = new CheckpointStore(rows, new MemoryCache(), new RecordedEvents());
  const settings = { ...morphoSettings(devnet), ...own };
  return morphoState(connection.chain, configOf(devnet), settings, store, LIQUIDATABLE);
}

/** 10 WETH and 23,000 USDC of debt: above the lower limit below 2,875 USD, above the upper below 2,674.42. */
async function borrow(): Promise<Address> {
  return toAddress(await devnet.openMorphoPosition({ market, collateral: 10n * ETHER, debt: usdc(23_000) }));
}

interface Call {
  readonly from: string;
  readonly to: string;
  readonly data: string;
}

/** A block of these calls. @returns whether each of them succeeded. */
async function mine(calls: readonly Call[]): Promise<boolean[]> {
  const { timestamp } = (await devnet.provider.getBlock('latest'))!;
  return (await devnet.mineBlock(calls, timestamp + 2)).map(({ succeeded }) => succeeded);
}

/** A contract of the factory, by its log. */
async function make(oracle: Address): Promise<PreLiquidation> {
  const { preLltvWad, closeFactorWads, incentiveWads } = FACTORS;
  const params = [preLltvWad, ...closeFactorWads, ...incentiveWads, oracle];
  const data = factory.interface.encodeFunctionData('createPreLiquidation', [market.id, params]);
  const to = await factory.getAddress();
  expect(await mine([{ from: devnet.accounts.deployer, to, data }])).toEqual([true]);
  const [log] = (await factory.queryFilter('CreatePreLiquidation')).slice(-1);
  const contract = toAddress(`0x${log?.topics[1]?.slice(-40) ?? ''}`);
  return { ...FACTORS, contract, marketId: market.id as Hex, oracle };
}

function authorise(borrower: string | undefined, isAuthorised: boolean, by = made): Call {
  const { interface: abi } = devnet.contracts.morpho;
  const data = abi.encodeFunctionData('setAuthorization', [by.contract, isAuthorised]);
  return { from: String(borrower), to: devnet.addresses.morpho, data };
}

/** What is told of the positions, after so many blocks with the first of them holding these calls. */
async function told(calls: readonly Call[] = [], blocks = 2): Promise<AtRisk[]> {
  let found: AtRisk[] = [];
  for (let block = 0; block < blocks; block++) {
    await mine(block === 0 ? calls : []);
    found = await atHead();
  }
  return found;
}

async function atHead(): Promise<AtRisk[]> {
  const view = morphoView(reached(await state.engine.advance(await connection.chain.getBlock('latest'))));
  return [...view.atRisk(LIMITS)];
}

const doorsOf = (found: readonly AtRisk[]): unknown[] =>
  found.map(({ borrower, schedule }) => [borrower, schedule.doors]);
const door = (by = made): unknown => ({ kind: 'pre-liquidation', contract: by.contract });

describe(
  'a position between the limits of a pre-liquidation contract and of its market',
  { timeout: 60_000 },
  () => {
    it('is told once its borrower authorised the contract, and not before it is between them', async () => {
      await expect
        .poll(async () => (await told([], 1), state.market.coverage.preLiquidation))
        .toEqual({
          ...{ contracts: 1, markets: 1, positions: 0, searching: false },
        });
      expect(await told([authorise(willing, true)])).toEqual([]);
      await devnet.setPrice('WETH', 2_876n * USD8);
      expect(await told()).toEqual([]);

      await devnet.setPrice('WETH', 2_800n * USD8);
      const found = await told();
      expect(doorsOf(found)).toEqual([[willing, [door()]]]);
      expect(found[0]?.pairs).toEqual([]);
      expect(found[0]?.healthFactorWad).toBeLessThan(WAD);
      const worth = found[0]?.worthAtMost((_collateral, _debt, seized, covered) => seized - covered) ?? 0;
      expect(worth).toBeGreaterThan(100 * Number(USD8));
      expect(state.market.coverage.preLiquidation).toMatchObject({ markets: 1, positions: 1 });
    });

    it('is not told any more when the borrower takes the authorisation back', async () => {
      expect(await told([authorise(willing, false)], 1)).toEqual([]);
      expect(doorsOf(await told([authorise(willing, true)], 1))).toEqual([[willing, [door()]]]);
    });

    it('is told no more when a reorg takes the authorisation away', async () => {
      const both = await told([authorise(other, true)], 1);
      expect(both.map(({ borrower }) => borrower).toSorted()).toEqual([willing, other].toSorted());
      await devnet.reorg([[]], 2);
      await mine([]);
      expect(doorsOf(await atHead())).toEqual([[willing, [door()]]]);
    });

    it('is found after a restart, by the history of the factory and the answers of Morpho', async () => {
      const before = state;
      state = stateOf({ preLiquidationFactory: toAddress(await factory.getAddress()) });
      await state.engine.start(await connection.chain.getBlock('latest'));
      await state.backfill.release();
      await expect.poll(async () => doorsOf(await told([], 1))).toEqual([[willing, [door()]]]);
      state = before;
      expect(doorsOf(await atHead())).toEqual([[willing, [door()]]]);
    });

    it('is told with a contract of the last block, at the price of the oracle of that contract', async () => {
      const oracle: Address = `0x${'a1'.repeat(20)}`;
      await devnet.rpc('anvil_setCode', [oracle, answersAlways(2_900n * 10n ** 24n)]);
      const second = await make(oracle);
      expect(doorsOf(await told([authorise(willing, true, second)], 3))).toEqual([[willing, [door()]]]);
      // Nearer to the upper limit, where the incentive is higher.
      await devnet.rpc('anvil_setCode', [oracle, answersAlways(2_700n * 10n ** 24n)]);
      expect(doorsOf(await told())).toEqual([[willing, [door(second), door()]]]);
      await told([authorise(willing, false, second)]);
    });

    it('is left to a direct liquidation above the limit of the market', async () => {
      await devnet.setPrice('WETH', 2_650n * USD8);
      const found = await told();
      expect(found.map(({ borrower }) => borrower).toSorted()).toEqual([willing, other].toSorted());
      for (const { schedule } of found) expect(schedule).toEqual(OPEN_NOW);
      expect(state.market.coverage.preLiquidation).toMatchObject({ positions: 0 });
      await devnet.setPrice('WETH', 2_800n * USD8);
      expect(doorsOf(await told())).toEqual([[willing, [door()]]]);
    });

    it('costs nothing where no factory is configured', () => {
      const { market: plain } = stateOf({});
      const { market: own } = state;
      const topics = plain.watched.get(toAddress(devnet.addresses.morpho))?.length ?? 0;
      expect(plain.watched.size).toBe(2);
      expect([...own.watched.values()].map(({ length }) => length)).toEqual([topics + 1, 1, 1]);
      expect(plain.coverage).not.toHaveProperty('preLiquidation');
    });
  },
);

describe('the formulas of a pre-liquidation', { timeout: 60_000 }, () => {
  const SEED = 20_241;
  const CASES = Number(process.env['DIFFERENTIAL_CASES'] ?? 300);
  const abi = new Interface([
    'function factors(uint256,uint256,uint256,uint256,uint256) view returns (uint256, uint256, uint256)',
    'function exchanged(uint256,uint256,uint256,uint256,uint256,uint256) view returns (uint256, uint256)',
    'function preLiquidate(address,uint256,uint256)',
  ]);
  const lltvWad = (): bigint => market.params.lltv;

  /** Near the two limits, at them, and far from them. */
  function randomInputs(random: Random): PreLiquidationInputs {
    const [borrowAssets, spread] = [random.magnitude(10n ** 30n), random.magnitude(10n ** 6n)];
    const borrowShares = borrowAssets * spread + random.below(10n ** 6n);
    const collateral = random.magnitude(10n ** 30n);
    const own = random.magnitude(borrowShares);
    const owed = (own * (borrowAssets + 1n)) / (borrowShares + 10n ** 6n) + 1n;
    const ltvWad = random.pick([FACTORS.preLltvWad, lltvWad(), (83n * WAD) / 100n, (79n * WAD) / 100n]);
    const exact = (owed * WAD * 10n ** 36n) / (ltvWad * collateral);
    const price = exact + random.pick([0n, 1n, random.below(exact / 100n + 2n)]);
    return {
      ...{ totals: { borrowAssets, borrowShares }, position: { collateral, borrowShares: own } },
      ...{ price: price > 2n ** 120n ? 2n ** 120n : price, lltvWad: lltvWad() },
    };
  }

  it(`are those of the contract for ${CASES} random positions (seed ${SEED})`, async () => {
    const random = new Random(SEED);
    const cases = Array.from({ length: CASES }, () => {
      const inputs = randomInputs(random);
      return { inputs, terms: preLiquidationTerms(inputs, made), share: random.below(WAD) + 1n };
    });
    const { hash } = await connection.chain.getBlock('latest');
    const ask = (name: string, values: readonly bigint[]): { to: Address; data: Hex } => ({
      ...{ to: made.contract, data: abi.encodeFunctionData(name, values) as Hex },
    });
    const told = await connection.chain.multicall(
      cases.map(({ inputs: { position, totals, price } }) => {
        const { borrowAssets, borrowShares } = totals;
        return ask('factors', [
          position.collateral,
          position.borrowShares,
          borrowAssets,
          borrowShares,
          price,
        ]);
      }),
      hash,
    );
    for (const [index, { terms }] of cases.entries()) {
      const { success, data } = told[index]!;
      expect(success, `case ${index}`).toBe(terms !== undefined);
      if (terms)
        expect([...abi.decodeFunctionResult('factors', data)]).toEqual([
          ...[terms.ltvWad, terms.incentiveWad, terms.closeFactorWad],
        ]);
    }
    const open = cases.flatMap(({ inputs, terms, share }) => (terms ? [{ inputs, terms, share }] : []));
    expect(open.length).toBeGreaterThan(CASES / 10);
    expect(open.length).toBeLessThan(CASES);
    const amounts = open.map(({ inputs, terms, share }) => ({
      seized: (inputs.position.collateral * share) / WAD + 1n,
      repaid: (terms.repayableShares * share) / WAD + 1n,
    }));
    const exchanged = await connection.chain.multicall(
      open.flatMap(({ inputs: { totals, price }, terms }, index) => {
        const { seized, repaid } = amounts[index]!;
        const rest = [totals.borrowAssets, totals.borrowShares, price, terms.incentiveWad];
        return [ask('exchanged', [seized, 0n, ...rest]), ask('exchanged', [0n, repaid, ...rest])];
      }),
      hash,
    );
    const words = exchanged.map(({ data }) => [...(abi.decodeFunctionResult('exchanged', data) as bigint[])]);
    for (const [index, { inputs, terms }] of open.entries()) {
      const { seized, repaid } = amounts[index]!;
      expect(words[2 * index]).toEqual([seized, preRepaidFor(seized, inputs, terms)]);
      expect(words[2 * index + 1]).toEqual([preSeizedFor(repaid, inputs, terms), repaid]);
    }
    console.log(`${open.length} of ${CASES} random positions were between the limits (seed ${SEED})`);
  });

  it('tell to the unit what a contract takes of a real position: as much as that, and only with its leave', async () => {
    const { chain } = connection;
    const { deployer } = devnet.accounts;
    const token = new Interface(['function mint(address,uint256)', 'function approve(address,uint256)']);
    const to = devnet.tokens.USDC.address;
    const pay = [
      token.encodeFunctionData('mint', [deployer, usdc(100_000)]),
      token.encodeFunctionData('approve', [made.contract, usdc(100_000)]),
    ];
    expect(await mine(pay.map((data) => ({ from: deployer, to, data })))).toEqual([true, true]);
    const take = (borrower: string | undefined, shares: bigint): Call => ({
      ...{ from: deployer, to: made.contract },
      data: abi.encodeFunctionData('preLiquidate', [borrower, 0n, shares]),
    });
    const contracts = morphoSettings(devnet);
    const read = async (): Promise<{ collateral: bigint; borrowShares: bigint }> => {
      const { hash } = await chain.getBlock('latest');
      return readAt(chain, positionRead(contracts, made.marketId, willing!), hash);
    };
    const before = await read();
    expect(await mine([take(other, 10n ** 6n), take(willing, 2n * before.borrowShares)])).toEqual([
      ...[false, false],
    ]);
    const { hash, timestamp } = await chain.getBlock('latest');
    const booked = (await readAt(chain, marketRead(contracts, made.marketId), hash))!;
    const { totals } = accrued(booked, timestamp + 2);
    const inputs = { totals, position: before, price: 2_800n * 10n ** 24n, lltvWad: lltvWad() };
    const terms = preLiquidationTerms(inputs, made)!;
    const shares = terms.repayableShares;

    expect(await mine([take(willing, shares)])).toEqual([true]);
    const after = await read();
    expect(before.borrowShares - after.borrowShares).toBe(shares);
    expect(before.collateral - after.collateral).toBe(preSeizedFor(shares, inputs, terms));
  });
});
