import type { Block } from '../domain/block.js';
import type { Hash } from '../domain/hex.js';

/** A block that was applied, and what it takes to undo it. */
interface AppliedBlock<Undo> {
  readonly block: Block;
  /** Undefined for the block at which the ring begins: nothing goes back beyond it. */
  readonly undo: Undo | undefined;
}

/** The last blocks of the branch that the state is on, oldest first. */
export class BlockRing<Undo> {
  private entries: AppliedBlock<Undo>[];

  /** @param capacity how many blocks can be undone now: deeper reorgs halt the bot (F16). */
  constructor(
    first: Block,
    private readonly capacity: () => number,
  ) {
    this.entries = [{ block: first, undo: undefined }];
  }

  get tip(): Block {
    return this.last.block;
  }

  /** The oldest block that the state can go back to. */
  get oldest(): Block {
    const [first] = this.entries;
    return (first ?? this.last).block;
  }

  /** The blocks that can be undone, the oldest first. */
  get undoable(): readonly Block[] {
    return this.entries.slice(1).map(({ block }) => block);
  }

  get hashes(): readonly Hash[] {
    return this.entries.map(({ block }) => block.hash);
  }

  has(hash: Hash): boolean {
    return this.entries.some(({ block }) => block.hash === hash);
  }

  push(block: Block, undo: Undo): void {
    this.entries.push({ block, undo });
    const most = this.capacity() + 1;
    if (this.entries.length > most) this.entries.splice(0, this.entries.length - most);
  }

  /** Removes the tip. @throws Error when the ring begins with it. */
  pop(): Undo {
    const { undo } = this.last;
    if (undo === undefined || this.entries.length < 2) throw new Error('nothing is left to undo');
    this.entries.pop();
    return undo;
  }

  /** The undos of what was applied after a block of the ring, oldest first. */
  after(hash: Hash): readonly Undo[] {
    const index = this.entries.findIndex(({ block }) => block.hash === hash);
    return this.entries.slice(index + 1).flatMap(({ undo }) => (undo === undefined ? [] : [undo]));
  }

  /** The undo of the tip; undefined where the ring begins with it. */
  get tipUndo(): Undo | undefined {
    return this.last.undo;
  }

  private get last(): AppliedBlock<Undo> {
    const last = this.entries.at(-1);
    if (!last) throw new Error('the ring is never empty');
    return last;
  }
}
