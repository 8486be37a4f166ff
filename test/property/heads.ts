import type { SeededRandom } from '../../devnet/random.js';
import type { Block } from '../../src/domain/block.js';
import type { Step } from './random-chain.js';

export interface ToldHead {
  readonly block: Block;
  /**
   * `known`: the listener has this block or a later one; `gone`: a reorg has replaced the block meanwhile.
   */
  readonly how: 'new' | 'known' | 'gone';
}

/** Announces heads as nodes do: some never, some late or twice, and some after a reorg has replaced them. */
export class Heads {
  /** Blocks of the valid branch that were not announced yet. */
  private waiting: Block[] = [];

  constructor(private readonly random: SeededRandom) {}

  /**
   * The heads that a listener receives after a step of the chain, in this order. When there is none, the next
   * head makes a gap.
   */
  after({ made, gone }: Step): ToldHead[] {
    const { random } = this;
    const told: ToldHead[] = [];
    const lost = gone.at(-1);
    if (lost && random.chance(0.5)) told.push({ block: lost, how: 'gone' });
    const valid = this.waiting.slice(0, Math.max(0, this.waiting.length - gone.length));
    this.waiting = [...valid, ...made];
    if (random.chance(0.15)) return told;
    const heads = this.waiting;
    this.waiting = [];
    const fresh = random.chance(0.4) ? heads : heads.slice(-1);
    told.push(...fresh.map((block) => ({ block, how: 'new' as const })));
    if (random.chance(0.15)) {
      const passed = [...gone, ...heads];
      const late = passed[random.integer(0, passed.length - 1)];
      if (late) told.push({ block: late, how: 'known' });
    }
    return told;
  }
}
