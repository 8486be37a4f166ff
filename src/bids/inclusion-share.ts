import { percentOf } from '../domain/bid.js';

/** The share of the gross profit that is offered before anything was reviewed. */
export const FIRST_SHARE_BPS = 1_500;
/** After so many submissions the share is reviewed. */
export const SUBMISSIONS_PER_REVIEW = 100;

const MOST_SHARE_BPS = 4_000;
/** Below this inclusion the share goes up. */
const LOW_BPS = 6_000;
const RAISE_BPS = 500;
/** Above this inclusion the share goes down. */
const HIGH_BPS = 9_000;
const LOWER_BPS = 200;

/** What became of the submissions of one review. */
export interface Submissions {
  readonly sent: number;
  readonly won: number;
}

/** The decision of one review. */
export interface ShareChange {
  readonly fromBps: number;
  readonly toBps: number;
  /** Won of what was sent, in hundredths of a percent, rounded down. */
  readonly inclusionBps: number;
  /** For an operator. */
  readonly reason: string;
}

/**
 * One review of the share: 5 points more when less than 60 % were won, 2 points less when more than 90 %
 * were; never below 0 nor above 40 %. Both limits are compared exactly, and not with the rounded rate.
 */
export function reviewed(fromBps: number, { sent, won }: Submissions): ShareChange {
  const inclusionBps = Math.floor((won * 10_000) / sent);
  const rate = `${won} of ${sent} were won`;
  if (won * 10_000 < LOW_BPS * sent) {
    const toBps = Math.min(MOST_SHARE_BPS, fromBps + RAISE_BPS);
    const end = toBps === fromBps ? 'the share is at its maximum' : 'the share goes up';
    return { fromBps, toBps, inclusionBps, reason: `${rate}, less than ${percent(LOW_BPS)}: ${end}` };
  }
  if (won * 10_000 > HIGH_BPS * sent) {
    const toBps = Math.max(0, fromBps - LOWER_BPS);
    const end = toBps === fromBps ? 'the share is 0 already' : 'the share goes down';
    return { fromBps, toBps, inclusionBps, reason: `${rate}, more than ${percent(HIGH_BPS)}: ${end}` };
  }
  const between = `from ${percent(LOW_BPS)} to ${percent(HIGH_BPS)}`;
  return { fromBps, toBps: fromBps, inclusionBps, reason: `${rate}, ${between}: the share stays` };
}

const percent = (bps: number): string => percentOf(BigInt(bps));
