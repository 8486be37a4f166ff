import { Injectable } from '@nestjs/common';
import type { Block } from '../domain/block.js';
import type { Address } from '../domain/hex.js';
import { roundRead } from '../oracles/chainlink.js';
import type { Chain } from '../rpc/chain.js';
import { LogRangeTooLarge, RpcError } from '../rpc/rpc-errors.js';
import type { RawLog } from '../rpc/chain-answers.js';
import { each, readAt, together } from '../rpc/read.js';
import { backfillBorrowers, type BackfillProgress } from './backfill.js';
import type { CheckpointStore } from './checkpoint-store.js';
import type { StateView } from './state-view.js';
import type { Surroundings, TrackedMarket } from './tracked-market.js';

/** A reorg deeper than this halts elsewhere; borrowers that appeared within it are looked for again. */
const REORG_LOOKBACK_BLOCKS = 64;

export interface StateSettings {
  readonly nativeUsdFeed: Address;
  /** By market name: the block from which borrowers are looked for. */
  readonly fromBlocks: ReadonlyMap<string, number>;
}

/** How a head relates to the last block; `stale` is one that the engine is past. */
type Advance = 'next' | 'gap' | 'reorg' | 'stale';

/**
 * The bot's picture of its markets, always at one block. `start` builds it, `advance` takes it to a new head: by the head's
 * own logs when it follows, by the range's logs over a gap, by reading everything again after a reorg.
 */
@Injectable()
export class StateEngine {
  private current: StateView | undefined;

  constructor(
    private readonly chain: Chain,
    private readonly markets: readonly TrackedMarket[],
    private readonly checkpoints: CheckpointStore,
    private readonly settings: StateSettings,
  ) {}

  /** The last complete view; undefined before `start` has finished. */
  get view(): StateView | undefined {
    return this.current;
  }

  get positionCount(): number {
    return this.current?.markets.reduce((sum, market) => sum + market.borrowerCount, 0) ?? 0;
  }

  /** Backfills borrowers from the last checkpoint (or the market's first block), then reads every one of them at `block`. */
  async start(
    block: Block,
    onProgress: (market: string, progress: BackfillProgress) => void,
    signal?: AbortSignal,
  ): Promise<StateView> {
    for (const market of this.markets) {
      await market.load(block);
      const saved = await this.checkpoints.load(market.name);
      // What happened while nobody looked may have been rewritten: the last blocks before the checkpoint are read again.
      const from =
        saved.upTo === undefined
          ? (this.settings.fromBlocks.get(market.name) ?? 0)
          : Math.max(0, saved.upTo + 1 - REORG_LOOKBACK_BLOCKS);
      const found = await backfillBorrowers(
        (first, last) => market.borrowersIn(first, last),
        Math.min(from, block.number),
        block.number,
        (progress) => onProgress(market.name, progress),
        signal,
      );
      const known = new Set(saved.borrowers);
      const fresh = [...found].filter((borrower) => !known.has(borrower));
      await this.checkpoints.save(market.name, fresh, block);
      await market.snapshot([...known, ...fresh], block);
    }
    return this.complete(block, await this.readSurroundings(block));
  }

  /**
   * Takes the picture to `head`.
   * @throws RpcError when the chain could not be read; the engine then stays at its last block and the next head closes the gap.
   */
  async advance(head: Block): Promise<StateView> {
    const last = this.current;
    if (!last) throw new Error('advance was called before start');
    if (head.hash === last.block.hash) return last;
    const step = await this.stepTo(head, last.block);
    if (step === 'stale') return last;
    if (step === 'reorg') return this.readAgain(head, last.block);
    try {
      return await this.follow(head, last.block);
    } catch (error) {
      // The gap has grown beyond what the provider gives at once.
      if (error instanceof LogRangeTooLarge) return this.readAgain(head, last.block);
      throw error;
    }
  }

  /** Reads these accounts again from the chain at the view's block: after a divergence. */
  async refresh(marketName: string, accounts: readonly Address[]): Promise<void> {
    const market = this.markets.find(({ name }) => name === marketName);
    if (market && this.current) await market.snapshot(accounts, this.current.block);
  }

  /** By the logs since the last block; the head's own are asked for by its hash, so that they are of this very branch. */
  private async follow(head: Block, last: Block): Promise<StateView> {
    const watched = [...new Set(this.markets.flatMap((market) => market.watched))];
    const between = { fromBlock: last.number + 1, toBlock: head.number - 1 };
    const [earlier, own, surroundings] = await Promise.all([
      between.fromBlock > between.toBlock ? [] : this.chain.getLogs(between, watched, []),
      this.chain.getLogs({ blockHash: head.hash }, watched, []),
      this.readSurroundings(head),
    ]);
    const reloaded = await this.applyAll([...earlier, ...own], head);
    return this.complete(head, reloaded ? await this.readSurroundings(head) : surroundings);
  }

  private async stepTo(head: Block, last: Block): Promise<Advance> {
    if (head.parentHash === last.hash) return 'next';
    const unchanged = await this.isStillThere(last);
    if (head.number <= last.number) return unchanged ? 'stale' : 'reorg';
    return unchanged ? 'gap' : 'reorg';
  }

  private async isStillThere(last: Block): Promise<boolean> {
    try {
      return (await this.chain.getBlock(last.number)).hash === last.hash;
    } catch (error) {
      // A chain that became shorter no longer has this number at all.
      if (error instanceof RpcError && error.kind === 'out-of-sync') return false;
      throw error;
    }
  }

  private async applyAll(logs: readonly RawLog[], head: Block): Promise<boolean> {
    let anyReloaded = false;
    for (const market of this.markets) {
      const watched = new Set(market.watched);
      const own = logs.filter((log) => watched.has(log.address));
      const { newBorrowers, reloaded } = await market.apply(own, head);
      anyReloaded ||= reloaded;
      this.checkpoints.noteSoon(market.name, newBorrowers, head);
    }
    return anyReloaded;
  }

  /** Everything again at `head`, and whoever borrowed on a branch or in a gap that was not followed. */
  private async readAgain(head: Block, last: Block): Promise<StateView> {
    const since = Math.max(0, Math.min(last.number, head.number) - REORG_LOOKBACK_BLOCKS);
    for (const market of this.markets) {
      await market.rebuild(head);
      const read = (from: number, to: number): Promise<Set<Address>> => market.borrowersIn(from, to);
      const found = await backfillBorrowers(read, since, head.number, () => undefined);
      const fresh = [...found].filter((one) => !market.borrowers.has(one));
      await market.snapshot(fresh, head);
      this.checkpoints.noteSoon(market.name, fresh, head);
    }
    return this.complete(head, await this.readSurroundings(head));
  }

  private readSurroundings(block: Block): Promise<[Surroundings[], { answer: bigint; updatedAt: number }]> {
    return readAt(
      this.chain,
      together(
        each(this.markets.map((market) => market.surroundings(block.timestamp))),
        roundRead(this.settings.nativeUsdFeed),
      ),
      block.hash,
    );
  }

  private complete(
    block: Block,
    [surroundings, native]: [Surroundings[], { answer: bigint; updatedAt: number }],
  ): StateView {
    const markets = this.markets.flatMap((market, index) => {
      const own = surroundings[index];
      return own ? [market.view(own)] : [];
    });
    this.current = { block, nativePriceUsd8: native.answer, nativePriceTime: native.updatedAt, markets };
    return this.current;
  }
}
