import { describe, expect, it } from 'vitest';
import { MetricBook } from './metric-book.js';

describe('the book of metrics', () => {
  it('counts by label values, and shows a value outside of the table as other', () => {
    const book = new MetricBook();
    for (const reason of ['halted', 'halted', 'https://node.example/key', 'x'])
      book.count('chimera_rejections_total', { reason });
    const shown = [...book.samples('chimera_rejections_total')].filter(({ value }) => value !== 0);
    expect(shown).toEqual([
      { labels: { reason: 'halted' }, value: 2 },
      { labels: { reason: 'other' }, value: 2 },
    ]);
    expect(book.total('chimera_rejections_total')).toBe(4);
    expect(book.total('chimera_rejections_total', { reason: 'halted' })).toBe(2);
  });

  it('keeps amounts exactly, and makes numbers of them only to show them', () => {
    const book = new MetricBook();
    for (let n = 0; n < 10; n++) book.count('chimera_fees_lost_eth_total', {}, 10n ** 17n + 1n);
    expect([...book.samples('chimera_fees_lost_eth_total')]).toEqual([
      { labels: {}, value: 10n ** 18n + 10n },
    ]);
    expect(book.total('chimera_fees_lost_eth_total')).toBe(1);
  });

  it('begins at 0 where the label values are known, so that the first event is an increase', () => {
    const book = new MetricBook();
    expect([...book.samples('chimera_outcomes_total')]).toHaveLength(5);
    expect([...book.samples('chimera_passes_total')]).toEqual([{ labels: {}, value: 0 }]);
    expect([...book.samples('chimera_rpc_calls_total')]).toEqual([]);
  });

  it('does not throw at its caller, whatever it is given', () => {
    const book = new MetricBook();
    book.count('chimera_fees_lost_eth_total', {}, 1.5);
    book.count('chimera_outcomes_total', {} as { outcome: string });
    book.count('no such metric' as never, {});
    book.observe('chimera_pass_seconds', {}, 1);
    expect(book.total('chimera_fees_lost_eth_total')).toBe(0);
    expect(book.total('chimera_outcomes_total', { outcome: 'other' })).toBe(1);
  });

  it('a flood of label values stays a bounded number of series', () => {
    const book = new MetricBook();
    for (let n = 0; n < 10_000; n++)
      book.count('chimera_rpc_calls_total', { endpoint: `e${n}`, method: `m${n}`, result: `r${n}` });
    expect([...book.samples('chimera_rpc_calls_total')]).toEqual([
      { labels: { endpoint: 'other', method: 'other', result: 'other' }, value: 10_000 },
    ]);
  });
});
