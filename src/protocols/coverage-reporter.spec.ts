import { describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import type { FaultyMarket, MarketCoverage } from '../domain/market-coverage.js';
import { CoverageReporter } from './coverage-reporter.js';

const faulty: FaultyMarket = {
  ...{ marketId: `0x${'ab'.repeat(32)}`, pair: 'WETH/USDC', reason: 'oracle-zero' },
};
const coverage = (served: number, faults: readonly FaultyMarket[] = []): MarketCoverage => ({
  ...{ served, unserved: { denied: 1 }, faulty: faults },
});

function reporter(): { note: (coverage: MarketCoverage, timestamp: number) => void; events: RecordedEvents } {
  const events = new RecordedEvents();
  const own = new CoverageReporter('morpho', events);
  return { events, note: (now, timestamp) => own.note(now, { number: 7, timestamp }) };
}

describe('what is told of the markets of a protocol', () => {
  it('is one line at start, and one at most every ten minutes while the numbers change', () => {
    const { note, events } = reporter();
    note(coverage(3), 1_000);
    note(coverage(3), 9_000);
    note(coverage(4), 9_010);
    note(coverage(5), 9_012);
    note(coverage(5), 9_610);
    expect(events.named('markets-served')).toMatchObject([
      { market: 'morpho', block: 7, served: 3, unserved: { denied: 1 } },
      { served: 4 },
      { served: 5 },
    ]);
  });

  it('is one line for a market without a price, not one at each block, and another for another reason', () => {
    const { note, events } = reporter();
    for (let second = 0; second < 100; second++)
      note(coverage(3, second % 2 ? [faulty] : []), 1_000 + second);
    note(coverage(3, [{ ...faulty, reason: 'oracle-reverts' }]), 1_200);
    expect(events.named('market-unpriced')).toMatchObject([
      { ...faulty, market: 'morpho', block: 7 },
      { reason: 'oracle-reverts' },
    ]);
  });
});
