import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bidBookOf, BID_POLICY } from '../../testing/bids.js';
import { aPlan } from '../../testing/builders/plan.js';
import { TestDatabase } from '../../testing/database.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { BidsRepository, ExecutionsRepository, type ExecutionEnd, type LeaseKey } from '../database/index.js';
import type { BidModel } from '../domain/bid.js';
import { USD8 } from '../domain/money.js';
import type { Outcome } from '../domain/outcome.js';
import { executionRow } from '../execution/execution-row.js';
import type { BidBook, BidOutcome } from './bid-book.js';

const GWEI = 10n ** 9n;
const walletOf = (number: number): LeaseKey => ({
  chainId: 31_337,
  wallet: `0x${number.toString(16).padStart(40, '0')}`,
});
const QUESTION = {
  grossProfitUsd8: 60n * USD8,
  marginUsd8: 50n * USD8,
  gasUsed: 400_000n,
  nativePriceUsd8: 2_500n * USD8,
};

interface EndedOptions {
  readonly model?: BidModel;
  readonly by?: LeaseKey;
  readonly rivalTipWei?: bigint;
}

describe('what bids learn from the rows', { timeout: 60_000 }, () => {
  let running: TestDatabase;
  let executions: ExecutionsRepository;
  let rows: BidsRepository;
  let events: RecordedEvents;
  /** Of each test another one. */
  let owner = walletOf(1);
  let settledRows = 0;

  beforeAll(async () => {
    running = await TestDatabase.start();
    executions = new ExecutionsRepository(running.database);
    rows = new BidsRepository(running.database);
  });

  beforeEach(() => {
    events = new RecordedEvents();
    settledRows = 0;
    owner = walletOf(Number(BigInt(owner.wallet)) + 2);
  });

  afterAll(() => running.stop());

  /** Rows of submissions that ended, and what execution tells of them. */
  async function ended(
    count: number,
    outcome: Outcome,
    { model = 'by-inclusion', by = owner, rivalTipWei = 0n }: EndedOptions = {},
  ): Promise<BidOutcome[]> {
    const plan = aPlan({ bid: { model, why: 'a test' } });
    const one = executionRow(plan, { ...by, mode: 'live' }, 'authorised');
    const all = Array.from({ length: count }, (_, n) => ({ ...one, blockNumber: settledRows + n }));
    const ids = await executions.insertMany(all);
    const outcomes: BidOutcome[] = [];
    for (const executionId of ids) {
      const rival = outcome === 'lost' ? aRival(rivalTipWei) : undefined;
      const outcomeDetails = { tipPerGasWei: 5n, ...(rival && { rival }) };
      const end: ExecutionEnd = { status: 'dropped', reason: 'a test', outcome, outcomeDetails };
      await executions.settle(executionId, end);
      const { grossProfitUsd8 } = plan;
      const planBlock = (settledRows += 1) - 1;
      outcomes.push({ executionId, outcome, rival, planBlock, grossProfitUsd8, tipPerGasWei: 5n });
    }
    return outcomes;
  }

  const started = async (model: BidModel): Promise<BidBook> => {
    const book = bidBookOf(running.database, { model, events });
    await book.load(owner);
    return book;
  };
  const tell = async (book: BidBook, outcomes: readonly BidOutcome[]): Promise<void> => {
    for (const outcome of outcomes) book.settled(outcome);
    await book.idle();
  };
  const reviews = async () =>
    (await rows.reviews(owner, 10)).map(({ number, fromBps, toBps, won }) => [number, fromBps, toBps, won]);

  it('the share follows inclusion every 100 submissions; a restart goes on where it was', async () => {
    const book = await started('by-inclusion');
    expect(book.status).toMatchObject({ model: 'by-inclusion', shareBps: 1_500 });
    await tell(book, await ended(50, 'won'));
    await tell(book, await ended(49, 'lost'));
    expect(await reviews()).toEqual([]);

    const restarted = await started('by-inclusion');
    expect(restarted.status.shareBps).toBe(1_500);
    await tell(restarted, await ended(1, 'stale'));
    expect(await reviews()).toEqual([[1, 1_500, 2_000, 50]]);
    expect(restarted.status.shareBps).toBe(2_000);
    expect(events.all).toMatchObject([
      {
        event: 'bid-share-reviewed',
        ...{ number: 1, fromBps: 1_500, toBps: 2_000, sent: 100, won: 50, inclusionBps: 5_000 },
        reason: '50 of 100 were won, less than 60 %: the share goes up',
      },
    ]);
    expect(restarted.bidder(QUESTION)?.why).toBe('20 % of the gross profit');

    await tell(restarted, await ended(100, 'won'));
    expect(await reviews()).toEqual([
      [2, 2_000, 1_800, 100],
      [1, 1_500, 2_000, 50],
    ]);
    expect((await started('by-inclusion')).status.shareBps).toBe(1_800);
  });

  it('submissions of another model, of another wallet, and refused ones do not count', async () => {
    const book = await started('by-inclusion');
    await tell(book, await ended(99, 'lost'));
    await tell(book, await ended(3, 'refused'));
    await ended(3, 'lost', { model: 'by-size' });
    await ended(3, 'lost', { by: walletOf(Number(BigInt(owner.wallet)) + 1) });
    await book.load(owner);
    expect(await reviews()).toEqual([]);
    await tell(book, await ended(1, 'won'));
    expect(await reviews()).toEqual([[1, 1_500, 2_000, 1]]);
  });

  it('what a process that was killed had not reviewed is reviewed once, and all that start know it', async () => {
    await ended(205, 'lost');
    const books = await Promise.all(Array.from({ length: 8 }, () => started('by-inclusion')));
    expect(await reviews()).toEqual([
      [2, 2_000, 2_500, 0],
      [1, 1_500, 2_000, 0],
    ]);
    expect(new Set(books.map(({ status }) => status.shareBps))).toEqual(new Set([2_500]));
  });

  it('the levels of races are the same after a restart, and a reorg takes a race back', async () => {
    const book = await started('least-that-wins');
    expect(book.bidder(QUESTION)?.perGasWei).toBe(1n);
    await tell(book, await ended(1, 'won', { model: 'least-that-wins' }));
    const [lost] = await ended(1, 'lost', { model: 'least-that-wins', rivalTipWei: GWEI });
    const before = book.status.levels;
    const bidder = book.bidder;
    book.settled(lost!);
    expect(book.bidder(QUESTION)?.perGasWei).toBe((GWEI * 5n) / 4n + 1n);
    // A pass that has begun keeps the bids with which it began.
    expect(bidder(QUESTION)?.perGasWei).toBe(5n);
    expect((await started('least-that-wins')).status.levels).toEqual(book.status.levels);
    book.takenBack(lost!.executionId);
    expect(book.status.levels).toEqual(before);
  });

  it('by-size needs no rows', async () => {
    const book = await started('by-size');
    await tell(book, await ended(100, 'lost', { model: 'by-size' }));
    expect(book.status).toEqual({ model: 'by-size', shareBps: undefined, levels: [], chain: undefined });
    expect(book.bidder({ ...QUESTION, marginUsd8: BID_POLICY.minProfitUsd8 - 1n })).toBeUndefined();
    expect(await reviews()).toEqual([]);
  });
});

function aRival(tipPerGasWei: bigint): NonNullable<Exclude<BidOutcome['rival'], 'unknown'>> {
  return {
    ...{ sender: `0x${'11'.repeat(20)}`, hash: `0x${'22'.repeat(32)}`, block: 1, place: 0, tipPerGasWei },
    ...{ blocksEarlier: 0, placesEarlier: 1 },
  };
}
