import { describe, expect, it } from 'vitest';
import type { EventNamed } from '../domain/events/events.js';
import { Counters } from './counters.js';

const settled = (status: EventNamed<'execution-settled'>['status']): EventNamed<'execution-settled'> => ({
  event: 'execution-settled',
  executionId: '1',
  borrower: '0x01',
  hash: '0x02',
  outcome: status === 'succeeded' ? 'won' : 'lost',
  status,
  reason: undefined,
  rival: undefined,
  block: 7,
  realisedProfitUsd8: undefined,
  simulatedNetProfitUsd8: '1',
});

const reopened = (
  was: EventNamed<'execution-reopened'>['was'],
  reported: boolean,
): EventNamed<'execution-reopened'> => ({
  event: 'execution-reopened',
  executionId: '1',
  borrower: '0x01',
  hash: '0x02',
  was,
  realisedProfitUsd8: undefined,
  block: 7,
  reported,
});

describe('the counters', () => {
  it('count outcomes by the events of their settlements', () => {
    const counters = new Counters();
    for (const status of ['succeeded', 'reverted', 'dropped'] as const) counters.hear(settled(status));
    expect(counters.values).toMatchObject({ succeeded: 1, failed: 2, sent: 0 });
  });

  it('take back an outcome that this process reported, and no other', () => {
    const counters = new Counters();
    counters.hear(settled('succeeded'));
    counters.hear(settled('reverted'));
    counters.hear(reopened('succeeded', true));
    counters.hear(reopened('reverted', true));
    counters.hear(reopened('succeeded', false));
    expect(counters.values).toMatchObject({ succeeded: 0, failed: 0 });
  });
});
