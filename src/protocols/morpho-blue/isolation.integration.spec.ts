import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet, type MorphoMarket } from '../../../devnet/index.js';
import { ALL_POSITIONS } from '../../../testing/aave-state.js';
import { answersAlways, REVERTS } from '../../../testing/answering-code.js';
import { chainOf } from '../../../testing/chain.js';
import { TestDatabase } from '../../../testing/database.js';
import { configOf } from '../../../testing/devnet-config.js';
import { RecordedEvents } from '../../../testing/fakes/recorded-events.js';
import { createMarketLike } from '../../../testing/morpho-markets.js';
import { morphoSettings, morphoState, morphoView, type MorphoState } from '../../../testing/morpho-state.js';
import { reached } from '../../../testing/state.js';
import { MemoryCache } from '../../cache/index.js';
import { CheckpointsRepository } from '../../database/index.js';
import { toAddress, type Address } from '../../domain/hex.js';
import { WAD } from '../../domain/money.js';
import { readAt } from '../../rpc/chain/read.js';
import { CheckpointStore } from '../../state/checkpoint-store.js';
import { tokenPricesOf } from '../market-kinds.js';
import type { MorphoBlueView } from './at-risk.js';
import { withNativeFeed } from './followed-market.js';

const ETHER = 10n ** 18n;
/** 3,000 USDC for a WETH. */
const FAIR = answersAlways(3_000n * 10n ** 24n);
/** What becomes of oracles, and what is said of their markets. */
const KINDS = [
  // invalid: all the gas is gone. So much is given to a call here that it is not told from a failure.
  { code: '0xfe', reason: 'oracle-silent' },
  // jumpdest, push0, jump: it runs until the gas is gone.
  { code: '0x5b5f56', reason: 'oracle-silent' },
  { code: REVERTS, reason: 'oracle-silent' },
  // A revert with a word of data.
  { code: '0x60205ffd', reason: 'oracle-reverts' },
  { code: answersAlways(0n), reason: 'oracle-zero' },
  { code: answersAlways(2n ** 256n - 1n), reason: 'oracle-nonsense' },
  // Three bytes are no number.
  { code: '0x60035ff3', reason: 'oracle-nonsense' },
] as const;

const oracleOf = (index: number): Address => `0x${(0xa1c000 + index).toString(16).padStart(40, '0')}`;

let devnet: Devnet;
let connection: ReturnType<typeof chainOf>;
let database: TestDatabase;
let state: MorphoState;
let markets: MorphoMarket[];
let honest: MorphoMarket;
let chainId = 31_337;

beforeAll(async () => {
  [database, devnet] = await Promise.all([TestDatabase.start(), startDevnet()]);
  connection = chainOf(devnet);
  honest = devnet.morphoMarket('WETH', 'USDC');
  markets = [];
  for (const index of KINDS.keys()) {
    const oracle = oracleOf(index);
    await devnet.rpc('anvil_setCode', [oracle, FAIR]);
    const market = await createMarketLike(devnet, honest, { oracle });
    await devnet.openMorphoPosition({ market, collateral: 10n * ETHER, debt: 25_000n * 10n ** 6n });
    markets.push(market);
  }
  await devnet.openMorphoPosition({ market: honest, collateral: 10n * ETHER, debt: 25_000n * 10n ** 6n });
  const { chain } = connection;
  state = morphoState(chain, configOf(devnet), morphoSettings(devnet), newStore(), ALL_POSITIONS);
  await state.engine.start(await chain.getBlock('latest'));
  await state.backfill.release();
}, 120_000);

afterAll(async () => {
  connection.pool.close();
  await devnet.stop();
  await database.stop();
});

/** Of a chain of its own, so that it holds nothing yet. */
function newStore(): CheckpointStore {
  const rows = new CheckpointsRepository(database.database, ++chainId);
  return new CheckpointStore(rows, new MemoryCache(), new RecordedEvents());
}

/** A block after so many seconds, and how many calls the nodes served for it. */
async function step(seconds: number): Promise<{ view: MorphoBlueView; calls: number }> {
  const { timestamp } = (await devnet.provider.getBlock('latest'))!;
  await devnet.mineBlock([], timestamp + seconds);
  const head = await connection.chain.getBlock('latest');
  const before = served();
  const view = morphoView(reached(await state.engine.advance(head)));
  return { view, calls: served() - before };
}

const served = (): number => connection.pool.status().reduce((sum, { ok }) => sum + ok, 0);

describe('oracles that do not answer a price', { timeout: 60_000 }, () => {
  it('cost only their own markets: each is left alone for its reason, and no block pays for it again', async () => {
    const quiet = await step(2);
    expect(quiet.view.valued.size).toBe(KINDS.length + 1);
    expect(state.market.coverage).toMatchObject({ served: KINDS.length + 1, faulty: [] });

    for (const [index, { code }] of KINDS.entries())
      await devnet.rpc('anvil_setCode', [oracleOf(index), code]);
    const first = await step(2);
    const after = await step(2);

    for (const { view } of [first, after]) {
      expect([...view.valued.keys()]).toEqual([honest.id]);
      expect(view.positions.map(({ marketId }) => marketId)).toEqual([honest.id]);
      expect([...view.atRisk({ maxNotionalUsd8: 2n ** 100n, fundingHorizonSeconds: 12 })]).toEqual([]);
    }
    const [position] = after.view.positions;
    const [near, ...others] = [...after.view.near(10n * WAD)].filter((one) => one !== undefined);
    expect(others).toEqual([]);
    expect(near).toMatchObject({ borrower: position?.borrower, marketId: honest.id });
    expect(near?.healthFactorWad).toBe(position?.health.healthFactorWad);
    expect(near?.debts).toMatchObject([{ symbol: 'USDC', amount: position?.health.borrowed }]);
    expect(near?.collaterals).toMatchObject([{ symbol: 'WETH', amount: 10n * ETHER }]);
    expect(after.calls, 'as many calls as before').toBe(quiet.calls);
    const { served: count, unserved, faulty } = state.market.coverage;
    expect(count).toBe(1);
    expect(unserved).toEqual({
      ...{ 'oracle-silent': 3, 'oracle-reverts': 1, 'oracle-zero': 1, 'oracle-nonsense': 2 },
    });
    expect(new Map(faulty.map(({ marketId, reason }) => [marketId, reason]))).toEqual(
      new Map(markets.map(({ id }, index) => [id, KINDS[index]?.reason])),
    );
  });

  it('are served again when they answer: at the next head, or at the end of the wait when they took the gas', async () => {
    for (const index of KINDS.keys()) await devnet.rpc('anvil_setCode', [oracleOf(index), FAIR]);
    const valued = async (seconds: number): Promise<number> => (await step(seconds)).view.valued.size;
    expect(await valued(2)).toBe(KINDS.length - 2);
    // One of those that wait is asked at a head.
    expect([await valued(20), await valued(2), await valued(2)]).toEqual(
      [1, 2, 3].map((more) => KINDS.length - 2 + more),
    );
    expect(state.market.coverage.faulty).toEqual([]);
  });
});

describe('a Morpho Blue without feeds of its own', { timeout: 60_000 }, () => {
  it('takes the prices of loan tokens from the native feed, Aave and Compound, each as its oracle has it', async () => {
    const { chain } = connection;
    const { addresses, tokens } = devnet;
    const section = { fromBlock: 0 } as const;
    const aave = {
      ...{ ...section, name: 'aave', kind: 'aave-v3' as const },
      addressesProvider: toAddress(addresses.addressesProvider),
    };
    const compound = {
      ...{ ...section, name: 'compound', kind: 'compound-v2' as const },
      comptroller: toAddress(addresses.comptroller),
    };
    const block = await chain.getBlock('latest');
    const prices = await devnet.prices();
    for (const protocols of [[aave], [compound], [aave, compound]]) {
      const found = tokenPricesOf(protocols, chain);
      const [ether, dollar] = [toAddress(tokens.WETH.address), toAddress(tokens.USDC.address)];
      await found.look([dollar, oracleOf(0)], block.hash);
      const read = found.readOf(dollar);
      expect(read && (await readAt(chain, read, block.hash))).toBe(prices.USDC);
      expect(found.readOf(oracleOf(0)), 'no token').toBeUndefined();

      const feed = toAddress(tokens.WETH.feed);
      const settings = withNativeFeed({ ...morphoSettings(devnet), feeds: [] }, ether, feed);
      const own = morphoState(chain, configOf(devnet), settings, newStore(), ALL_POSITIONS, found);
      await own.engine.start(block);
      await own.backfill.release();
      const { timestamp } = block;
      const answers = await readAt(chain, own.market.reads({ timestamp }), block.hash);
      const view = own.market.view(answers);
      expect([...view.valued.values()].map(({ debt }) => debt.priceUsd8)).toContain(prices.USDC);
      expect(view.priceUsd8(ether)).toBe(prices.WETH);
      expect(own.market.coverage.unserved['loan-token-without-price'] ?? 0).toBe(0);
    }
  });
});
