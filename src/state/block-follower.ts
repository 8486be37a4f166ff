import type { Block } from '../domain/block.js';
import { windowBlocks, type ChainDescription } from '../domain/chain-description.js';
import type { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import type { Address, Hash } from '../domain/hex.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { Chain } from '../rpc/chain/chain.js';
import type { WatchedLogs } from '../rpc/chain/logs-bloom.js';
import { each, readAt } from '../rpc/chain/read.js';
import { BlockLogs, type DeliveredLogs } from './block-logs.js';
import { BlockRing } from './block-ring.js';
import type { BlockStep, Followed, RangeLogs } from './followed.js';
import { pathTo, type HeadPath } from './head-path.js';
import { OpenGap } from './open-gap.js';
import { inRanges } from './ranges.js';

/** What was answered to the reads of everything that is followed, in its order. */
export type Answers = readonly unknown[];

/** An account of which the logs took more than our books held. */
export interface Contradiction {
  /** Of what is followed. */
  readonly name: string;
  readonly account: Address;
}

/** The undos of one block, in the order of what is followed. */
type BlockUndo = readonly unknown[];

/**
 * Moves everything that is followed by the same blocks: each block is prepared by all, then committed by all
 * in one turn of the event loop, and undone by all. The order matters: a commit may use what an earlier one
 * in the list committed, and undos run in the reverse order.
 */
export class BlockFollower {
  private ring!: BlockRing<BlockUndo>;
  private contradictions: Contradiction[] = [];
  private readonly gap: OpenGap;
  private readonly logs: BlockLogs;
  private readAtMs: number | undefined;

  /** @param delivered the logs of WebSockets, where there are any. */
  constructor(
    private readonly chain: Chain,
    private readonly followed: readonly Followed[],
    private readonly blockTime: Pick<ChainDescription, 'blockTimeMs'>,
    private readonly clock: Clock,
    delivered?: DeliveredLogs,
  ) {
    this.gap = new OpenGap(clock);
    this.logs = new BlockLogs(chain, clock, delivered);
  }

  /** The block that was applied last. */
  get tip(): Block {
    return this.ring.tip;
  }

  /** The oldest block that a reorg may go back to. */
  get oldest(): Block {
    return this.ring.oldest;
  }

  /** The hashes of all blocks that could be taken back, and of the one before them. */
  get hashes(): readonly Hash[] {
    return this.ring.hashes;
  }

  /** @throws RpcError when the headers between could not be read. */
  pathTo(head: Block): Promise<HeadPath> {
    return pathTo(head, this.ring, this.chain, windowBlocks('blockByBlock', this.blockTime));
  }

  /**
   * Runs an attempt to get to `head`.
   *
   * @throws HaltError in place of what the attempt threw, when blocks between have been missing for too long.
   */
  watchGap<T>(head: Block, attempt: () => Promise<T>): Promise<T> {
    return this.gap.watch(head, () => this.ring.tip, attempt);
  }

  /**
   * Begins at a block with steps that `prepareRange` gave. Nothing before the block can be taken back from
   * here on.
   */
  beginAt(block: Block, steps: readonly BlockStep[]): void {
    for (const [index, followed] of this.followed.entries()) {
      const step = steps[index];
      if (step) followed.commitRange(step, block);
    }
    this.ring = new BlockRing(block, () => windowBlocks('reorg', this.blockTime));
    this.remember(steps);
    this.logs.listenTo(this.watched);
  }

  /**
   * Goes back before the oldest block of which more logs are known by now than were applied, so that it is
   * read again on the way to the next head (F44). The chain has not changed.
   */
  takeBackIncomplete(): void {
    const incomplete = this.ring.undoable.find((block) => this.logs.lacks(block));
    while (incomplete && this.ring.has(incomplete.hash)) this.takeBack();
  }

  /**
   * Goes back to the ancestor and forward over the blocks of a path.
   *
   * @param takenBack gets the hash of each block that is taken back, also when a later step fails.
   * @returns what was answered at the head.
   * @throws RetryError when the chain could not be read: the state is at some block of the path then.
   */
  walk(
    head: Block,
    { ancestor, blocks }: Extract<HeadPath, { kind: 'walk' }>,
    takenBack: Hash[],
  ): Promise<Answers> {
    while (this.ring.tip.hash !== ancestor) {
      takenBack.push(this.ring.tip.hash);
      this.takeBack();
    }
    return this.applyAll(head, blocks);
  }

  /** Asks at the head what everything that is followed has to ask, in one round trip. @throws RetryError */
  ask(head: Block): Promise<Answers> {
    return readAt(this.chain, each(this.followed.map((one) => one.reads(head))), head.hash);
  }

  /**
   * The views of everything at the tip, by name.
   *
   * @throws RetryError when something is missing in the answers.
   */
  views(answers: Answers): ReadonlyMap<string, unknown> {
    return new Map(this.followed.map((one, index) => [one.name, one.view(answers[index])]));
  }

  /** The logs from a block number to a block, both included, in pieces that the node serves. */
  rangeLogs(from: number, to: Block, signal?: AbortSignal): RangeLogs {
    return (addresses, onLogs) =>
      inRanges(
        (fromBlock, toBlock) =>
          this.chain.getLogs({ fromBlock, toBlock }, addresses, [], { check: this.check }),
        from,
        to.number,
        onLogs,
        { span: () => this.chain.logSpan(), signal },
      );
  }

  /**
   * What has to be known to follow something that was read at `block`; undefined once that block was taken
   * back.
   */
  since(block: Hash, followed: Followed): { later: readonly unknown[]; tip: unknown } | undefined {
    if (!this.ring.has(block)) return undefined;
    const index = this.followed.indexOf(followed);
    return { later: this.ring.after(block).map((undos) => undos[index]), tip: this.ring.tipUndo?.[index] };
  }

  /** When the logs of the last walk had been read: monotonic milliseconds; undefined when asked again. */
  takeReadAtMs(): number | undefined {
    const { readAtMs } = this;
    this.readAtMs = undefined;
    return readAtMs;
  }

  /** The accounts that the logs contradicted since this was asked last. */
  takeContradictions(): readonly Contradiction[] {
    const found = this.contradictions;
    this.contradictions = [];
    return found;
  }

  private async applyAll(head: Block, blocks: readonly Block[]): Promise<Answers> {
    const { watched } = this;
    const [logs, answers] = await Promise.all([this.logs.read(blocks, watched, this.check), this.ask(head)]);
    this.readAtMs = this.clock.monotonicMs();
    for (const [index, block] of blocks.entries()) {
      this.logs.note(block, logs[index] ?? [], watched);
      const seen = blocks.slice(0, index + 1);
      const readsChange = await this.apply(block, logs[index] ?? [], () =>
        this.mustBeWhole(seen, logs.flat()),
      );
      // The logs and answers at hand were asked of other contracts than those that count from here on.
      if (!readsChange) continue;
      void this.logs.lookAgain(blocks.slice(0, index + 1), watched, logs.flat());
      return this.applyAll(head, blocks.slice(index + 1));
    }
    void this.logs.lookAgain(blocks, watched, logs.flat());
    return answers;
  }

  /** @returns whether other contracts count from here on, or other things have to be asked. */
  private async apply(
    block: Block,
    logs: readonly RawLog[],
    onContradiction: () => Promise<void>,
  ): Promise<boolean> {
    const fetchLogs = async (addresses: readonly Address[]): Promise<readonly RawLog[]> => {
      const all = new Map(addresses.map((address) => [address, []]));
      return (await this.logs.read([block], all, this.check)).flat();
    };
    const steps = await Promise.all(this.followed.map((one) => one.prepare(block, logs, fetchLogs)));

    if (steps.some(({ contradicted }) => contradicted.length > 0)) await onContradiction();

    const undos = this.followed.map((one, index) => {
      const step = steps[index];
      return step && one.commit(step, block);
    });
    this.ring.push(block, undos);
    this.remember(steps);
    const readsChange = steps.some((step) => step.readsChange);
    if (readsChange) this.logs.listenTo(this.watched);
    return readsChange;
  }

  /**
   * Logs that contradict our books may follow on logs that an endpoint hid. So another one is heard first.
   *
   * @throws RetryError when logs were hidden: those blocks are read again on the way to the next head.
   */
  private async mustBeWhole(blocks: readonly Block[], logs: readonly RawLog[]): Promise<void> {
    await this.logs.lookAgain(blocks, this.watched, logs);
    await this.logs.looked();
    if ([...this.ring.undoable, ...blocks].some((block) => this.logs.lacks(block)))
      throw new RetryError('an endpoint left out logs of a block: it is read again');
  }

  private takeBack(): void {
    const undos = this.ring.pop();
    for (const [index, followed] of [...this.followed.entries()].reverse()) followed.undo(undos[index]);
  }

  private remember(steps: readonly BlockStep[]): void {
    for (const [index, { contradicted }] of steps.entries())
      for (const account of contradicted)
        this.contradictions.push({ name: this.followed[index]?.name ?? '', account });
  }

  private get watched(): WatchedLogs {
    const all = new Map<Address, readonly Hash[]>();
    for (const [address, topics] of this.followed.flatMap(({ watched }) => [...watched])) {
      const others = all.get(address);
      const any = topics.length === 0 || others?.length === 0;
      all.set(address, any ? [] : [...(others ?? []), ...topics]);
    }
    return all;
  }

  /** @throws when one of those who read the log finds it malformed. */
  private readonly check = (log: RawLog): void => {
    for (const one of this.followed) one.check(log);
  };
}
