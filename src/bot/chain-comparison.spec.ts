import { beforeEach, describe, expect, it } from 'vitest';
import { aBlock } from '../../testing/builders/blocks.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { deferred, standIn, type Deferred } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { ChimeraConfig } from '../config/index.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Address } from '../domain/hex.js';
import type { FailurePolicy } from '../safety/index.js';
import { DoubtedPositions } from '../state/doubted-positions.js';
import type { Comparison, FollowedAccounts } from '../state/followed.js';
import type { StateEngine } from '../state/state-engine.js';
import { StateView } from '../state/state-view.js';
import { ChainComparison } from './chain-comparison.js';
import type { WriteQueue } from './write-queue.js';

const ACCOUNT: Address = `0x${'a1'.repeat(20)}`;
const ASSET: Address = `0x${'b2'.repeat(20)}`;
const VIEW = new StateView(aBlock(10), new Map());
const EQUAL: Comparison = { compared: [ACCOUNT], divergences: [], wrongPrices: [] };
const DIVERGENCE = { account: ACCOUNT, detail: { ourDebtUsd8: '1' } };
const WRONG: Comparison = { ...EQUAL, divergences: [DIVERGENCE] };

describe('the comparison with the chain', () => {
  /** What happened, in order. */
  let done: string[];
  let asked: Deferred<Comparison>[];
  /** How many markets had their turn, of each comparison. */
  let turns: (number | undefined)[];
  /** What all endpoints say at the second look, and how many of them answer. */
  let second: Comparison['divergences'];
  let answering: number;
  let secondOpinion: boolean;
  /** The accounts that had to be compared. */
  let first: readonly Address[];
  let isFollowed: boolean;
  let events: RecordedEvents;
  let clock: TestClock;
  let doubts: DoubtedPositions;
  let comparison: ChainComparison;
  let number: number;

  beforeEach(() => {
    done = [];
    asked = [];
    turns = [];
    second = [DIVERGENCE];
    answering = 2;
    secondOpinion = true;
    isFollowed = true;
    number = 10;
    events = new RecordedEvents();
    clock = new TestClock();
    doubts = new DoubtedPositions(clock);
    const market = standIn<FollowedAccounts>('market', {
      name: 'aave',
      isWhole: true,
      has: () => isFollowed,
      distrustPrice: (asset) => void done.push(`asks for the price of ${asset}`),
    });
    comparison = new ChainComparison(
      standIn<StateEngine>('state', {
        compare: async (_view, budget, firstOf) => {
          turns.push(budget.turns);
          first = firstOf?.('aave') ?? [];
          const answer = deferred<Comparison>();
          asked.push(answer);
          return [{ market, found: await answer.promise }];
        },
        lookAgain: (_view, _market, _accounts, needed) => Promise.resolve(answering < needed ? [] : second),
        refresh: (name, accounts) => {
          done.push(`reads ${accounts.join(', ')} of ${name}`);
          return Promise.resolve();
        },
      }),
      doubts,
      standIn<WriteQueue>('writes', {
        add: (...rows) => {
          for (const one of rows) if (one.kind === 'divergence') done.push(`stores ${one.row.account}`);
        },
      }),
      standIn<FailurePolicy>('policy', {
        halt: (message) => {
          done.push('halts');
          return Promise.resolve(new HaltError(message));
        },
        failed: (error) => {
          done.push(`fails: ${String(error)}`);
          return Promise.resolve('retry');
        },
      }),
      events,
      clock,
      standIn<ChimeraConfig>('config', {
        network: { name: 'devnet', chainId: 31337 },
        get rpc() {
          return standIn<ChimeraConfig['rpc']>('rpc', { secondOpinion });
        },
      }),
    );
  });

  /** A comparison at the next block, which comes after a second unless another time is said. */
  const compare = async (found: Comparison, afterMs = 1_000): Promise<void> => {
    clock.advance(afterMs);
    comparison.begin(new StateView(aBlock(number++), new Map()));
    asked.at(-1)?.resolve(found);
    await comparison.idle();
  };

  it('does nothing when the chain agrees', async () => {
    await compare(EQUAL);
    expect(done).toEqual([]);
    expect(events.all).toEqual([]);
  });

  it('F52 one odd read changes nothing: the next block agrees', async () => {
    await compare(WRONG);
    expect(events.named('positions-suspected')).toMatchObject([{ accounts: [ACCOUNT], block: 10 }]);
    await compare(EQUAL);
    expect(first).toEqual([ACCOUNT]);
    await compare(WRONG);
    expect(done).toEqual([]);
    expect(doubts.setAside).toEqual([]);
  });

  it('F52 an endpoint that differs alone changes nothing, however long, and is said once a minute', async () => {
    second = [];
    for (let block = 0; block < 20; block += 1) await compare(WRONG);
    expect(done).toEqual([]);
    expect(doubts.setAside).toEqual([]);
    expect(events.named('positions-suspected')).toHaveLength(1);
    clock.advance(60_000);
    await compare(WRONG);
    expect(events.named('positions-suspected')).toHaveLength(2);
  });

  it('F52 while the other endpoint does not answer, which may not have the block, nothing is set aside', async () => {
    answering = 1;
    for (let block = 0; block < 5; block += 1) await compare(WRONG);
    expect(done).toEqual([]);
    expect(doubts.setAside).toEqual([]);
    answering = 2;
    await compare(WRONG);
    await compare(WRONG);
    expect(doubts.isSetAside('aave', ACCOUNT)).toBe(true);
  });

  it('F52 where one endpoint is believed about plans, its word is enough', async () => {
    [answering, secondOpinion] = [1, false];
    await compare(WRONG);
    await compare(WRONG);
    expect(doubts.isSetAside('aave', ACCOUNT)).toBe(true);
  });

  it('F52 an account that differs at two blocks is set aside, stored once, read again, and released when it agrees', async () => {
    await compare(WRONG);
    await compare(WRONG);
    expect(done).toEqual([`stores ${ACCOUNT}`, `reads ${ACCOUNT} of aave`]);
    expect(doubts.isSetAside('aave', ACCOUNT)).toBe(true);
    expect(events.named('divergence')).toMatchObject([{ protocol: 'aave', account: ACCOUNT, block: 11 }]);
    await compare(WRONG);
    expect(done.slice(2)).toEqual([`reads ${ACCOUNT} of aave`]);
    expect(events.named('divergence')).toHaveLength(1);
    await compare(EQUAL);
    expect(doubts.setAside).toEqual([]);
    expect(events.named('position-released')).toMatchObject([{ account: ACCOUNT, block: 13 }]);
    expect(done).not.toContain('halts');
  });

  it('F52 an account that the logs contradicted is stored once, compared next, and released; nothing halts', async () => {
    doubts.contradicted('aave', ACCOUNT, 10);
    await compare(EQUAL);
    expect(first).toEqual([ACCOUNT]);
    expect(done).toEqual([`stores ${ACCOUNT}`]);
    expect(events.all).toMatchObject([
      { event: 'divergence', account: ACCOUNT, detail: { logs: 'more was moved than our books held' } },
      { event: 'position-released', account: ACCOUNT, block: 10 },
    ]);
    await compare(EQUAL);
    expect(done).toHaveLength(1);
  });

  it('F52 an account that is set aside and gone is released', async () => {
    await compare(WRONG);
    await compare(WRONG);
    isFollowed = false;
    await compare({ ...EQUAL, compared: [] });
    expect(doubts.setAside).toEqual([]);
  });

  it('F52 halts when many differ, once', async () => {
    const divergences = [1, 2, 3, 4, 5].map((n) => ({
      account: `0x${`0${n}`.repeat(20)}` as const,
      detail: {},
    }));
    second = divergences;
    const many = { compared: divergences.map(({ account }) => account), divergences, wrongPrices: [] };
    await compare(many);
    expect(done).toEqual([]);
    await compare(many);
    await compare(many);
    expect(done.filter((what) => what === 'halts')).toHaveLength(1);
    expect(doubts.setAside).toHaveLength(5);
  });

  it('reads a wrong price by a call from now on, and does not halt', async () => {
    await compare({ ...EQUAL, wrongPrices: [{ asset: ASSET, oursUsd8: 1n, chainUsd8: undefined }] });
    expect(done).toEqual([`asks for the price of ${ASSET}`]);
    expect(events.named('price-differs')).toMatchObject([{ asset: ASSET, oursUsd8: '1' }]);
  });

  it('asks once a second where blocks come every 200 ms, and for two markets where they come every 2 s', async () => {
    await compare(EQUAL);
    for (let block = 0; block < 20; block += 1) await compare(EQUAL, 200);
    expect(turns).toEqual([Infinity, 1, 1, 1, 1]);
    await compare(EQUAL, 2_000);
    await compare(EQUAL, 2_000);
    expect(turns.slice(5)).toEqual([2, 2]);
  });

  it('F52 compares at each block while an account is in doubt, and once a second when it is released', async () => {
    await compare(WRONG);
    await compare(WRONG, 200);
    expect(doubts.isSetAside('aave', ACCOUNT)).toBe(true);
    await compare(EQUAL, 200);
    expect(doubts.setAside).toEqual([]);
    expect(turns).toEqual([Infinity, 0, 0]);
    await compare(EQUAL, 200);
    expect(turns).toHaveLength(3);
  });

  it('tries again at the next block when the node does not answer', async () => {
    comparison.begin(VIEW);
    asked[0]?.reject(new RetryError('the node is away'));
    await comparison.idle();
    await compare(EQUAL, 200);
    expect(turns).toHaveLength(2);
  });

  it('runs one at a time, and again for a later view', async () => {
    comparison.begin(VIEW);
    comparison.begin(VIEW);
    expect(asked).toHaveLength(1);
    asked[0]?.resolve(EQUAL);
    await comparison.idle();
    clock.advance(1_000);
    comparison.begin(VIEW);
    expect(asked).toHaveLength(2);
    asked[1]?.resolve(EQUAL);
    await comparison.idle();
  });

  it('passes a failure to the failure policy', async () => {
    comparison.begin(VIEW);
    asked[0]?.reject(new RetryError('the node is away'));
    await comparison.idle();
    expect(done).toEqual(['fails: RetryError: the node is away']);
  });
});
