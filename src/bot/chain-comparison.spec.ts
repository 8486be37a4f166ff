import { beforeEach, describe, expect, it } from 'vitest';
import { aBlock } from '../../testing/builders/blocks.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { deferred, standIn, type Deferred } from '../../testing/fakes/stand-in.js';
import type { DivergencesRepository } from '../database/index.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { Address } from '../domain/hex.js';
import type { FailurePolicy } from '../safety/index.js';
import type { Comparison, FollowedAccounts } from '../state/followed.js';
import type { StateEngine } from '../state/state-engine.js';
import { StateView } from '../state/state-view.js';
import { ChainComparison } from './chain-comparison.js';

const ACCOUNT: Address = `0x${'a1'.repeat(20)}`;
const ASSET: Address = `0x${'b2'.repeat(20)}`;
const VIEW = new StateView(aBlock(10), new Map());
const WELL: Comparison = { compared: 5, divergences: [], wrongPrices: [] };
const WRONG: Comparison = { ...WELL, divergences: [{ account: ACCOUNT, detail: { ourDebtUsd8: '1' } }] };

describe('the comparison with the chain', () => {
  /** What happened, in order. */
  let done: string[];
  let asked: Deferred<Comparison>[];
  let events: RecordedEvents;
  let comparison: ChainComparison;

  beforeEach(() => {
    done = [];
    asked = [];
    events = new RecordedEvents();
    const market = standIn<FollowedAccounts>('market', {
      name: 'aave',
      distrustPrice: (asset) => void done.push(`asks for the price of ${asset}`),
    });
    comparison = new ChainComparison(
      standIn<StateEngine>('state', {
        compare: async () => {
          const answer = deferred<Comparison>();
          asked.push(answer);
          return [{ market, found: await answer.promise }];
        },
        refresh: (name, accounts) => {
          done.push(`reads ${accounts.join(', ')} of ${name}`);
          return Promise.resolve();
        },
      }),
      standIn<DivergencesRepository>('divergences', {
        insert: ({ account }) => {
          done.push(`stores ${account}`);
          return Promise.resolve();
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
    );
  });

  it('does nothing when the chain agrees', async () => {
    comparison.begin(VIEW);
    asked[0]?.resolve(WELL);
    await comparison.idle();
    expect(done).toEqual([]);
    expect(events.all).toEqual([]);
  });

  it('halts on a wrong account before it stores it and reads it again', async () => {
    comparison.begin(VIEW);
    asked[0]?.resolve(WRONG);
    await comparison.idle();
    expect(done).toEqual(['halts', `stores ${ACCOUNT}`, `reads ${ACCOUNT} of aave`]);
    expect(events.named('divergence')).toMatchObject([{ protocol: 'aave', account: ACCOUNT, block: 10 }]);
  });

  it('reads a wrong price by a call from now on, and does not halt', async () => {
    comparison.begin(VIEW);
    asked[0]?.resolve({ ...WELL, wrongPrices: [{ asset: ASSET, oursUsd8: 1n, chainUsd8: undefined }] });
    await comparison.idle();
    expect(done).toEqual([`asks for the price of ${ASSET}`]);
    expect(events.named('price-differs')).toMatchObject([{ asset: ASSET, oursUsd8: '1' }]);
  });

  it('runs one at a time, and again for a later view', async () => {
    comparison.begin(VIEW);
    comparison.begin(VIEW);
    expect(asked).toHaveLength(1);
    asked[0]?.resolve(WELL);
    await comparison.idle();
    comparison.begin(VIEW);
    expect(asked).toHaveLength(2);
    asked[1]?.resolve(WELL);
    await comparison.idle();
  });

  it('passes a failure to the failure policy', async () => {
    comparison.begin(VIEW);
    asked[0]?.reject(new RetryError('the node is away'));
    await comparison.idle();
    expect(done).toEqual(['fails: RetryError: the node is away']);
  });
});
