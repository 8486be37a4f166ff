import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { Block } from '../domain/block.js';
import { Events } from '../domain/events/events.js';
import { Chain } from '../rpc/chain/chain.js';
import { readEverywhere } from '../rpc/chain/read.js';
import type { StateView } from '../state/state-view.js';
import { latestRoundRead, type Round } from './chainlink.js';
import { FeedBook, type FeedView } from './feed-book.js';

/**
 * Has each new price of the native token confirmed, so that it may be kept when the feed fails, and tells
 * when a price is kept and when the feed is back. Where two endpoints must agree about plans, both are asked,
 * beside the pass.
 */
@Injectable()
export class NativePriceWatch {
  private asking: Promise<void> | undefined;
  private wasKept = false;

  constructor(
    private readonly chain: Chain,
    private readonly feeds: FeedBook,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
  ) {}

  /** The price of the native token in a view. Call it once for each pass. */
  at(view: StateView): FeedView {
    const price = view.of(this.feeds);
    this.tell(price, view.block);
    if (price.native && !price.nativeKept && !price.nativeConfirmed) this.confirm(price.native, view.block);
    return price;
  }

  /** Resolves when nobody is asked. Never rejects. */
  async idle(): Promise<void> {
    await this.asking;
  }

  private tell({ native, nativeKept }: FeedView, { number: block, timestamp }: Block): void {
    if (!native || nativeKept === this.wasKept) return;
    this.wasKept = nativeKept;
    const ageSeconds = timestamp - native.updatedAt;
    this.events.emit({ event: nativeKept ? 'native-price-kept' : 'native-price-back', block, ageSeconds });
  }

  private confirm(round: Round, block: Block): void {
    if (!this.config.rpc.secondOpinion) this.feeds.confirmNative(round);
    else
      this.asking ??= this.ask(round, block).finally(() => {
        this.asking = undefined;
      });
  }

  private async ask(round: Round, block: Block): Promise<void> {
    const read = latestRoundRead(this.config.oracles.nativeUsdFeed);
    const said = await readEverywhere(this.chain, read, block.hash);
    const agree = said.every((one) => one?.answer === round.answer && one.updatedAt === round.updatedAt);
    if (agree && said.length >= 2) this.feeds.confirmNative(round);
  }
}
