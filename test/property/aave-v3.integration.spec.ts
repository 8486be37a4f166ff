import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import { SeededRandom } from '../../devnet/random.js';
import type { StateView } from '../../src/state/state-view.js';
import { aaveState, ALL_POSITIONS, LIQUIDATABLE, type AaveState } from '../../testing/aave-state.js';
import { chainOf } from '../../testing/chain.js';
import { configOf } from '../../testing/devnet-config.js';
import { reached } from '../../testing/state.js';
import { Comparison } from './comparison.js';
import { startCheckpoints, type Checkpoints } from '../../testing/checkpoints.js';
import { CHANGES, PRICE_MOVES, REPAIRS } from './governance.js';
import { Heads } from './heads.js';
import { RandomChain } from './random-chain.js';
import { USER_ACTIONS } from './user-actions.js';

/**
 * Repeat a failing run with its seed, or make a longer one: PROPERTY_SEED=… PROPERTY_ACTIONS=… npx vitest run
 * test/property
 */
const SEED = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 1_000_000);
const ACTIONS = Number(process.env['PROPERTY_ACTIONS'] ?? 1_200);
/** Milliseconds for each action on a busy machine; an idle one takes a tenth. */
const PATIENCE_MS = 90;
/** The node's error for a block that it does not have. */
const UNKNOWN = { kind: 'out-of-sync' };

/** What must happen at least once in a run, beside every kind of action. */
const EVENTS = ['ReserveUsedAsCollateralEnabled', 'ReserveUsedAsCollateralDisabled', 'DeficitCreated'];

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
      // A generator of its own, so that the announced heads do not change what is in the blocks.
      const random = new SeededRandom(~SEED);
      const heads = new Heads(random);
      const comparison = new Comparison(world, `seed ${SEED}`);
      let store = checkpoints.open();
      let limits = ALL_POSITIONS;
      const config = configOf(devnet);
      let state = aaveState(chain, config, store, { limits });
      await comparison.at(world.head, whole(state, state.engine.start(world.head)), limits);

      while (world.actions < ACTIONS) {
        for (const { block, how } of heads.after(await world.advance())) {
          if (how === 'new')
            await comparison.at(block, whole(state, state.engine.advance(block).then(reached)), limits);
          else if (how === 'known')
            expect(reached(await state.engine.advance(block)).block).toEqual(world.head);
          // The node does not have this block any more. The engine stays at its block and follows the next
          // head.
          else {
            const { error } = await state.engine.advance(block);
            if (error !== undefined) expect(error).toMatchObject(UNKNOWN);
          }
        }
        // Sometimes the process is killed. A new one starts with the rows that the old one left in the
        // database.
        if (random.chance(0.02) && state.engine.view?.block.hash === world.head.hash) {
          await store.settled();
          store = checkpoints.open();
          limits = random.chance(0.5) ? ALL_POSITIONS : LIQUIDATABLE;
          state = aaveState(chain, config, store, { limits });
          await comparison.at(world.head, whole(state, state.engine.start(world.head)), limits);
        }
      }

      expect(comparison.positions).toBeGreaterThan(ACTIONS / 2);
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

/**
 * The engine reads unknown accounts in the background: at the start, and after a reorg that went back to
 * before it.
 */
async function whole({ engine, backfill, doubts }: AaveState, step: Promise<unknown>): Promise<StateView> {
  await step;
  await backfill.release();
  expect(doubts.takeContradicted(), 'the logs took more than the books held').toEqual([]);
  if (!engine.view) throw new Error('the engine has no view');
  return engine.view;
}

/** Everything that happens on a chain of its own. */
async function storyOf(seed: number): Promise<string[]> {
  const node = await startDevnet();
  const { chain, pool } = chainOf(node);
  try {
    const world = await RandomChain.on(node, chain, seed);
    while (world.actions < 100) await world.advance();
    return world.story(0, world.head.number);
  } finally {
    pool.close();
    await node.stop();
  }
}
