import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { BidsRepository, type LeaseKey, type RaceRow } from '../database/index.js';
import { byInclusion, bySize, withoutTip, type Bidder, type BidModel } from '../domain/bid.js';
import { chainDescription } from '../domain/chain-description.js';
import { RetryError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import type { Verdict } from '../domain/outcome.js';
import { ChainTips } from './chain-tips.js';
import { FIRST_SHARE_BPS, reviewed, SUBMISSIONS_PER_REVIEW } from './inclusion-share.js';
import { leastThatWins, type TipsOfChain } from './least-that-wins.js';
import { levelsOf, NO_RACES, type Race, type RaceLevels } from './race-levels.js';

/** How a submission ended, as far as bids are learned from it. */
export interface BidOutcome extends Pick<Verdict, 'outcome' | 'rival'> {
  readonly executionId: string;
  /** The block on which it was planned. */
  readonly planBlock: number;
  /** The value of its profit before all costs, as simulated: USD with 8 decimals. */
  readonly grossProfitUsd8: bigint;
  /** What it offered. Wei per gas. */
  readonly tipPerGasWei: bigint;
}

/** What the bids are made by. */
export interface BidStatus {
  readonly model: BidModel;
  /** Of `by-inclusion`: the share of the gross profit; undefined with another model. */
  readonly shareBps: number | undefined;
  /** Of `least-that-wins`: what the races say, from the smallest size; empty with another model. */
  readonly levels: RaceLevels;
  readonly chain: TipsOfChain | undefined;
}

/** So many races are remembered, also over a restart. */
const KEPT_RACES = 1_000;

/**
 * The bids of one wallet, by the model of the configuration, and what is learned from outcomes. It learns
 * from the rows, so that a restart changes nothing. What the model does not need is not read.
 */
@Injectable()
export class BidBook {
  private readonly model: BidModel;
  private owner: LeaseKey | undefined;
  private shareBps = FIRST_SHARE_BPS;
  /** Submissions that ended since the last review, as far as this process knows. */
  private unreviewed = 0;
  private reviewing: Promise<void> | undefined;
  private races: readonly Race[] = [];
  private levels: RaceLevels | undefined = NO_RACES;

  constructor(
    private readonly rows: BidsRepository,
    private readonly tips: ChainTips,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
  ) {
    this.model = config.planner.bidModel;
  }

  /** Reads what earlier processes have learned. May be called again. @throws RetryError */
  async load(owner: LeaseKey): Promise<void> {
    this.owner = owner;
    if (this.model === 'by-inclusion') await this.review(owner);
    if (this.model === 'least-that-wins') {
      this.races = (await this.rows.lastRaces(owner, KEPT_RACES)).flatMap(raceOfRow);
      this.levels = undefined;
    }
  }

  /** The bids of one pass: what is learned later does not change them. */
  get bidder(): Bidder {
    const { planner, network } = this.config;
    if (!chainDescription(network.chainId).ordersByTip) return withoutTip(planner);
    switch (this.model) {
      case 'by-size':
        return bySize(planner);
      case 'by-inclusion':
        return byInclusion(this.shareBps, planner);
      case 'least-that-wins':
        return leastThatWins(planner, this.learned, this.tips.recent);
    }
  }

  get status(): BidStatus {
    const least = this.model === 'least-that-wins';
    return {
      model: this.model,
      shareBps: this.model === 'by-inclusion' ? this.shareBps : undefined,
      levels: least ? this.learned : [],
      chain: least ? this.tips.recent : undefined,
    };
  }

  /** Its row holds the outcome. What follows from it is saved in the background. */
  settled(outcome: BidOutcome): void {
    if (this.model === 'least-that-wins') this.keep(outcome);
    if (this.model !== 'by-inclusion' || outcome.outcome === 'refused') return;
    this.unreviewed += 1;
    if (this.unreviewed >= SUBMISSIONS_PER_REVIEW && this.owner) this.startReview(this.owner);
  }

  /** A reorg took the outcome back. A review that counted it stands. */
  takenBack(executionId: string): void {
    this.races = this.races.filter((race) => race.executionId !== executionId);
    this.levels = undefined;
  }

  /** Waits until what was started in the background is done. */
  async idle(): Promise<void> {
    await this.reviewing;
  }

  private get learned(): RaceLevels {
    return (this.levels ??= levelsOf(this.races, this.config.planner.minProfitUsd8));
  }

  private keep({ executionId, outcome, planBlock, grossProfitUsd8, tipPerGasWei, rival }: BidOutcome): void {
    if (outcome !== 'won' && outcome !== 'lost') return;
    const others = this.races.filter((race) => race.executionId !== executionId);
    const known = rival === 'unknown' ? undefined : rival;
    const race = { executionId, outcome, planBlock, sizeUsd8: grossProfitUsd8, tipPerGasWei, rival: known };
    this.races = [...others, race].slice(-KEPT_RACES);
    this.levels = undefined;
  }

  private startReview(owner: LeaseKey): void {
    this.reviewing ??= this.review(owner)
      .catch((error: unknown) => {
        // The database is away: the next outcome tries again.
        if (!(error instanceof RetryError)) throw error;
      })
      .finally(() => (this.reviewing = undefined));
  }

  /** Reviews as many hundreds of submissions as there are. The rows decide, not what was counted here. */
  private async review(owner: LeaseKey): Promise<void> {
    for (;;) {
      const { reviews, shareBps, ...submissions } = await this.rows.unreviewed(owner, SUBMISSIONS_PER_REVIEW);
      this.shareBps = shareBps ?? FIRST_SHARE_BPS;
      this.unreviewed = submissions.sent;
      if (submissions.sent < SUBMISSIONS_PER_REVIEW) return;
      const review = { number: reviews + 1, ...submissions, ...reviewed(this.shareBps, submissions) };
      const written = await this.rows.addReview(owner, review);
      if (written) this.events.emit({ event: 'bid-share-reviewed', ...review });
    }
  }
}

/** Rows from before tips were stored say nothing of bids. */
function raceOfRow({ tipPerGasWei, rivalTipPerGasWei, ...row }: RaceRow): Race[] {
  if (tipPerGasWei === undefined) return [];
  const rival = rivalTipPerGasWei === undefined ? undefined : { tipPerGasWei: rivalTipPerGasWei };
  return [{ ...row, tipPerGasWei, rival }];
}
