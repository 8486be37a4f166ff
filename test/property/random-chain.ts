import type { BlockReceipt, Devnet } from '../../devnet/index.js';
import { SeededRandom } from '../../devnet/random.js';
import type { Block } from '../../src/domain/block.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import { castOf, type Cast } from './cast.js';
import { ChainSideReader, type ChainSide } from './chain-side.js';
import { CHANGES, PRICE_MOVES, REPAIRS } from './governance.js';
import { Situation, type Action, type Kind } from './situation.js';
import { USER_ACTIONS } from './user-actions.js';

export interface Outcome {
  readonly action: Action;
  readonly succeeded: boolean;
}

/** A block that was made, and what is in it. */
export interface Chapter {
  readonly block: Block;
  readonly outcomes: readonly Outcome[];
}

/** How the chain changed: the oldest block first. */
export interface Step {
  readonly made: readonly Block[];
  /** Blocks that a reorg replaced. */
  readonly gone: readonly Block[];
}

/** How often something was done, and how often Aave refused it. */
export interface Count {
  succeeded: number;
  refused: number;
}

const MOST_ACTIONS = 14;
const DEEPEST_REORG = 40;
const MINUTE = 60;
const DAY = 86_400;

/**
 * A chain of random actions: the same seed gives the same actions on every machine. The blocks have times of
 * their own, and every choice depends on the seed and the chain alone.
 */
export class RandomChain {
  /** The branch that is valid now, from the first random block. */
  readonly chapters: Chapter[] = [];
  readonly counts = new Map<string, Count>();
  /** Names of the pool's events that were seen. */
  readonly events = new Set<string>();
  actions = 0;
  reorgs = 0;
  private deck: Kind[] = [];
  /**
   * While the market is not configured, the engine does not read it again, so that mistakes have time to add
   * up.
   */
  private calm = false;

  private constructor(
    private readonly devnet: Devnet,
    private readonly chain: Chain,
    readonly cast: Cast,
    private readonly reader: ChainSideReader,
    private readonly random: SeededRandom,
    /** The chain's side at the tip. */
    private tip: ChainSide,
  ) {}

  static async on(devnet: Devnet, chain: Chain, seed: number): Promise<RandomChain> {
    const cast = await castOf(devnet);
    const reader = new ChainSideReader(chain, cast);
    const tip = await reader.read(await chain.getBlock('latest'));
    return new RandomChain(devnet, chain, cast, reader, new SeededRandom(seed), tip);
  }

  get head(): Block {
    return this.tip.block;
  }

  /** What the contracts say at one of the blocks. */
  sideAt(block: Block): Promise<ChainSide> {
    return block.hash === this.tip.block.hash ? Promise.resolve(this.tip) : this.reader.read(block);
  }

  /** One more block, or other blocks in the place of the last ones. */
  async advance(): Promise<Step> {
    const { chapters, random } = this;
    const depth = random.chance(0.05)
      ? Math.floor(random.magnitude(1, Math.min(DEEPEST_REORG, chapters.length) + 1))
      : 0;
    const gone = chapters.splice(chapters.length - depth);
    const made = gone.length > 0 ? await this.rewrite(gone) : [await this.extend()];
    chapters.push(...made);
    this.tip = await this.reader.read(await this.chain.getBlock('latest'));
    return { made: blocksOf(made), gone: blocksOf(gone) };
  }

  /** The blocks from one number to another, as text: their time, who tried what, and what Aave refused. */
  story(from: number, upTo: number): string[] {
    const chapters = this.chapters.filter(({ block }) => block.number >= from && block.number <= upTo);
    return chapters.flatMap(({ block, outcomes }) => [
      `block ${block.number} at ${block.timestamp}`,
      ...outcomes.map(({ action, succeeded }) => {
        const calls = action.calls.map(({ label }) => label).join('; ');
        return `  ${action.kind}${succeeded ? '' : ' (refused)'}: ${calls}`;
      }),
    ]);
  }

  private async extend(): Promise<Chapter> {
    const timestamp = this.head.timestamp + this.pause();
    // In a full block every reserve is updated; in a sparse one most of them are left to their interest.
    const most = this.random.chance(0.4) ? 2 : MOST_ACTIONS;
    const actions = this.choose(this.tip, timestamp, this.random.integer(0, most));
    const receipts = await this.devnet.mineBlock(callsOf(actions), timestamp);
    return this.record(await this.chain.getBlock('latest'), actions, receipts);
  }

  /** Some calls of the replaced blocks are in the new blocks too, at another place. */
  private async rewrite(gone: readonly Chapter[]): Promise<Chapter[]> {
    const { random } = this;
    const before = await this.reader.read(await this.chain.getBlock(this.head.number - gone.length));
    const interval = random.integer(1, 30);
    const blocks = gone.map(({ outcomes }, index) => {
      const again = outcomes.flatMap(({ action }) => (random.chance(0.3) ? [action] : []));
      const timestamp = before.block.timestamp + (index + 1) * interval;
      const fresh = random.chance(0.4) ? this.choose(before, timestamp, random.integer(0, 4)) : [];
      return random.chance(0.5) ? [...again, ...fresh] : [...fresh, ...again];
    });
    const receipts = await this.devnet.reorg(blocks.map(callsOf), interval);
    this.reorgs += 1;
    const made: Chapter[] = [];
    for (const [index, actions] of blocks.entries()) {
      const block = await this.chain.getBlock(before.block.number + 1 + index);
      made.push(this.record(block, actions, receipts[index] ?? []));
    }
    return made;
  }

  /** Seconds to the next block: mostly a block's time, now and then anything up to months. */
  private pause(): number {
    const { random } = this;
    const roll = random.next();
    if (roll < 0.6) return 2;
    if (roll < 0.75) return random.integer(1, 30 * MINUTE);
    if (roll < 0.97) return random.integer(30 * MINUTE, 10 * DAY);
    return random.integer(10 * DAY, 120 * DAY);
  }

  private choose(side: ChainSide, timestamp: number, howMany: number): Action[] {
    const { random } = this;
    const here = new Situation(random, this.cast, side, timestamp);
    if (random.chance(0.06)) this.calm = !this.calm;
    const actions = Array.from({ length: howMany }, () => here.action(USER_ACTIONS));
    const others = [
      random.chance(0.25) ? here.action(PRICE_MOVES) : undefined,
      !this.calm && random.chance(0.6) ? here.actionOf(this.nextChange()) : undefined,
      ...REPAIRS.map((kind) => (random.chance(0.6) ? here.actionOf(kind) : undefined)),
    ];
    for (const action of others) {
      if (action) actions.splice(random.integer(0, actions.length), 0, action);
    }
    return actions;
  }

  /** Like cards from a deck: none comes again before all the others have come. */
  private nextChange(): Kind {
    if (this.deck.length === 0) this.deck = [...CHANGES];
    const [kind] = this.deck.splice(this.random.integer(0, this.deck.length - 1), 1);
    if (!kind) throw new Error('there is nothing to change');
    return kind;
  }

  private record(block: Block, actions: readonly Action[], receipts: readonly BlockReceipt[]): Chapter {
    let next = 0;
    const outcomes = actions.map((action): Outcome => {
      const own = receipts.slice(next, (next += action.calls.length));
      const succeeded = own.every((receipt) => receipt.succeeded);
      const count = this.counts.get(action.kind) ?? { succeeded: 0, refused: 0 };
      this.counts.set(action.kind, count);
      count[succeeded ? 'succeeded' : 'refused'] += 1;
      return { action, succeeded };
    });
    this.actions += actions.length;
    for (const log of receipts.flatMap(({ logs }) => logs)) {
      const event = this.devnet.contracts.aavePool.interface.getEvent(log.topics[0] ?? '');
      if (event) this.events.add(event.name);
    }
    return { block, outcomes };
  }
}

const blocksOf = (chapters: readonly Chapter[]): Block[] => chapters.map(({ block }) => block);
const callsOf = (actions: readonly Action[]): Action['calls'] => actions.flatMap(({ calls }) => calls);
