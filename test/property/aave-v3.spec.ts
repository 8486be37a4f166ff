import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import { SeededRandom } from '../../devnet/random.js';
import type { Block } from '../../src/domain/block.js';
import type { Address } from '../../src/domain/hex.js';
import { chainOf } from '../harness/chain.js';
import { borrowersIn, chainSide, engineSide } from './comparison.js';
import {
  engineOf,
  EVERYBODY,
  LIQUIDATABLE,
  startCheckpoints,
  type Checkpoints,
} from './engine-under-test.js';
import { CHANGES, PRICE_MOVES, REPAIRS } from './governance.js';
import { Heads } from './heads.js';
import { RandomChain } from './random-chain.js';
import { USER_ACTIONS } from './user-actions.js';
import type { StateEngine } from '../../src/state/state-engine.js';
import type { HealthFactorLimits } from '../../src/state/tracked-market.js';
import type { StateView } from '../../src/state/state-view.js';

/** Repeat a failing run with its seed, or make a longer one: PROPERTY_SEED=… PROPERTY_ACTIONS=… npx vitest run test/property */
const SEED = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 1_000_000);
const ACTIONS = Number(process.env['PROPERTY_ACTIONS'] ?? 2_000);
/** A machine that is busy with other things gets this much for each action; alone it takes a tenth of it. */
const PATIENCE_MS = 90;

/** What has to have happened on the way, beside every kind of action. */
const EVENTS = [
  ['Supply', 'Withdraw', 'Borrow', 'Repay', 'FlashLoan', 'MintedToTreasury', 'UserEModeSet'],
  ['ReserveUsedAsCollateralEnabled', 'ReserveUsedAsCollateralDisabled', 'ReserveDataUpdated'],
  ['LiquidationCall', 'DeficitCreated'],
].flat();

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

describe(`the state engine on a chain of random actions (seed ${SEED})`, () => {
  it(
    `has every position as the chain has it, to the wei, after each block, over ${ACTIONS} actions`,
    async () => {
      const { chain } = connection;
      const world = await RandomChain.on(devnet, chain, SEED);
      // Of its own, so that what is heard of the blocks does not change what is in them.
      const random = new SeededRandom(~SEED);
      const heads = new Heads(random);
      let store = checkpoints.open();
      let limits = EVERYBODY;
      let engine = engineOf(devnet, chain, store, limits);
      await engine.start(world.head);
      let compared = await compare(world, await whole(engine), world.head, limits);

      while (world.actions < ACTIONS) {
        for (const { block, how } of heads.after(await world.advance())) {
          if (how === 'new') {
            await engine.advance(block);
            compared += await compare(world, await whole(engine), block, limits);
          } else if (how === 'known') expect((await engine.advance(block)).block).toEqual(world.head);
          // The node knows the block no more: the engine stays where it was, and finds the way by itself.
          else await engine.advance(block).catch((error: unknown) => expect(error).toMatchObject(UNKNOWN));
        }
        if (random.chance(0.02) && engine.view?.block.hash === world.head.hash) {
          // As killed: what was being written gets through, what was not is lost.
          await store.settled();
          store = checkpoints.open();
          limits = random.chance(0.5) ? EVERYBODY : LIQUIDATABLE;
          engine = engineOf(devnet, chain, store, limits);
          await engine.start(world.head);
          compared += await compare(world, await whole(engine), world.head, limits);
        }
      }

      expect(compared).toBeGreaterThan(ACTIONS / 2);
      if (ACTIONS < 2_000) return; // too few for everything to have happened
      const kinds = [...USER_ACTIONS, ...PRICE_MOVES, ...CHANGES, ...REPAIRS].map(({ name }) => name);
      expect(kinds.filter((name) => !world.counts.get(name)?.succeeded)).toEqual([]);
      expect([...world.events]).toEqual(expect.arrayContaining(EVENTS));
      expect(world.reorgs).toBeGreaterThan(0);
    },
    60_000 + ACTIONS * PATIENCE_MS,
  );
});

describe('a random chain', () => {
  it('is the same for the same seed, on another node at another time', async () => {
    const story = await storyOf(SEED);
    expect(story.length).toBeGreaterThan(10);
    expect(await storyOf(SEED)).toEqual(story);
    expect(await storyOf(SEED + 1)).not.toEqual(story);
  });
});

/** Where a reorg goes back to before the engine began, it reads everybody again in the background. */
async function whole(engine: StateEngine): Promise<StateView> {
  const ignore = (): void => undefined;
  if (!engine.backfill.isFinished)
    await engine.backfill.run(engine.targets, ignore, ignore, new AbortController().signal);
  if (!engine.view) throw new Error('the engine has no view');
  return engine.view;
}

const UNKNOWN = { kind: 'out-of-sync' };

/** @returns how many positions were compared; a difference fails, and says what had happened. */
async function compare(
  world: RandomChain,
  view: StateView,
  block: Block,
  { decideBelowWad }: HealthFactorLimits,
): Promise<number> {
  const chainView = await world.sideAt(block);
  const [ours, theirs] = [engineSide(view), chainSide(chainView, decideBelowWad)];
  const accounts = Object.keys(theirs).toSorted();
  const withDebt = borrowersIn(chainView).length;
  const counted = view.markets.reduce((sum, { borrowerCount }) => sum + borrowerCount, 0);
  const agrees = isDeepStrictEqual(ours, theirs) && counted === withDebt;
  if (view.block.hash === block.hash && agrees) return withDebt;

  const story = `seed ${SEED}, block ${block.number}, which held:\n${world.story(block.number, 3).join('\n')}`;
  expect(view.block, story).toEqual(block);
  expect(Object.keys(ours).toSorted(), story).toEqual(accounts);
  for (const account of accounts)
    expect({ account, ...ours[account as Address] }, story).toEqual({
      account,
      ...theirs[account as Address],
    });
  expect(counted, story).toBe(withDebt);
  throw new Error(story);
}

/** Everything that happens on a node of its own. */
async function storyOf(seed: number): Promise<string[]> {
  const node = await startDevnet();
  const { chain, pool } = chainOf(node);
  try {
    const world = await RandomChain.on(node, chain, seed);
    while (world.actions < 150) await world.advance();
    return world.story(world.head.number, Number.MAX_SAFE_INTEGER);
  } finally {
    pool.close();
    await node.stop();
  }
}
