import type { Block } from '../domain/block.js';
import type { Hash } from '../domain/hex.js';

/** A block that was applied, and what it takes to undo it. */
export interface AppliedBlock<Undo> {
  readonly block: Block;
  /** Undefined for the block at which the picture begins: nothing goes back beyond it. */
  readonly undo: Undo | undefined;
}

/** How many blocks can be undone: deeper reorgs halt the bot (F16). */
export const RING_BLOCKS = 128;

/** The last blocks of the branch that the picture is on, oldest first. */
export class BlockRing<Undo> {
  private entries: AppliedBlock<Undo>[];

  constructor(
    first: Block,
    private readonly capacity = RING_BLOCKS,
  ) {
    this.entries = [{ block: first, undo: undefined }];
  }

  get tip(): Block {
    return this.last.block;
  }

  /** The oldest block that the picture can go back to. */
  get oldest(): Block {
    const [first] = this.entries;
    return (first ?? this.last).block;
  }

  get hashes(): readonly Hash[] {
    return this.entries.map(({ block }) => block.hash);
  }

  has(hash: Hash): boolean {
    return this.hashes.includes(hash);
  }

  push(block: Block, undo: Undo): void {
    this.entries.push({ block, undo });
    if (this.entries.length > this.capacity + 1) this.entries.shift();
  }

  /** Takes the tip away. @throws Error when the picture begins with it. */
  pop(): Undo {
    const { undo } = this.last;
    if (undo === undefined || this.entries.length < 2) throw new Error('nothing is left to undo');
    this.entries.pop();
    return undo;
  }

  /** What was applied after a block of the ring, oldest first. */
  after(hash: Hash): readonly Undo[] {
    const index = this.entries.findIndex(({ block }) => block.hash === hash);
    return this.entries.slice(index + 1).flatMap(({ undo }) => (undo === undefined ? [] : [undo]));
  }

  /** What undoes the tip; undefined where the picture begins with it. */
  get tipUndo(): Undo | undefined {
    return this.last.undo;
  }

  private get last(): AppliedBlock<Undo> {
    const last = this.entries.at(-1);
    if (!last) throw new Error('the ring is never empty');
    return last;
  }
}
