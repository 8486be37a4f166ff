import { Controller, Get } from '@nestjs/common';
import { BidsRepository, type BidReview } from '../database/index.js';
import { BotStatusReader } from '../bot/bot-status.js';
import { ChimeraConfig } from '../config/index.js';
import { formatUnits } from '../domain/money.js';
import { Access } from './access.js';
import { Described } from './described.js';
import { Shared } from './shared-answers.js';

const MOST_REVIEWS = 200;

/** A review of the share that `by-inclusion` offers. Shares are in hundredths of a percent. */
export interface BidReviewAnswer {
  readonly number: number;
  readonly at: string;
  readonly fromBps: number;
  readonly toBps: number;
  readonly sent: number;
  readonly won: number;
  readonly inclusionBps: number;
  readonly reason: string;
}

/** What the races of one size say. Tips are gwei per gas; null: there was none. */
export interface BidLevelAnswer {
  readonly tipGwei: string | null;
  readonly rivalTipGwei: string | null;
  readonly won: number;
  readonly lost: number;
}

export interface BidsAnswer {
  readonly model: string;
  /** Of `by-inclusion`: the share of the gross profit that is offered now; null with another model. */
  readonly shareBps: number | null;
  /** The newest first, at most 200. */
  readonly reviews: readonly BidReviewAnswer[];
  /** Of `least-that-wins`, from the smallest size to the largest; empty with another model. */
  readonly levels: readonly BidLevelAnswer[];
  /** Of `least-that-wins`: what the recent blocks paid, gwei per gas; null while it is not known. */
  readonly chain: { readonly usualGwei: string; readonly highGwei: string } | null;
}

/** By which model bids are made, what it has learned, and how its share came about. */
@Access('viewer')
@Controller('api/v1/bids')
export class BidsController {
  constructor(
    private readonly bot: BotStatusReader,
    private readonly bids: BidsRepository,
    private readonly config: ChimeraConfig,
  ) {}

  @Described({
    summary: 'How bids are made, and what was learned from the races',
    answer: 'BidsAnswer',
    usesDatabase: true,
  })
  @Shared('path')
  @Get()
  async all(): Promise<BidsAnswer> {
    const { operator: wallet, outcomes } = this.bot.status();
    const { chainId } = this.config.network;
    const { model, shareBps = null, levels, chain } = outcomes.bids;
    return {
      ...{ model, shareBps },
      reviews: (await this.bids.reviews({ chainId, wallet }, MOST_REVIEWS)).map(reviewAnswer),
      levels: levels.map(({ tipWei, rivalWei, won, lost }) => ({
        tipGwei: tipWei === undefined ? null : gwei(tipWei),
        rivalTipGwei: rivalWei === 0n ? null : gwei(rivalWei),
        ...{ won, lost },
      })),
      chain: chain ? { usualGwei: gwei(chain.usualWei), highGwei: gwei(chain.highWei) } : null,
    };
  }
}

function reviewAnswer({ reviewedAt, ...review }: BidReview): BidReviewAnswer {
  const { number, fromBps, toBps, sent, won, inclusionBps, reason } = review;
  return { number, at: reviewedAt.toISOString(), fromBps, toBps, sent, won, inclusionBps, reason };
}

const gwei = (wei: bigint): string => formatUnits(wei, 9);
