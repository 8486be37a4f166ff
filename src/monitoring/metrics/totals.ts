import type { MetricBook } from './metric-book.js';

/** What the status and the log show of the counters. They start at 0 with the process. */
export type Totals = Readonly<
  Record<'passes' | 'planned' | 'sent' | 'succeeded' | 'failed' | 'divergences' | 'passErrors', number>
>;

/** An outcome that a reorg took back does not count. */
export function totalsOf(book: MetricBook): Totals {
  const settled = (status: 'succeeded' | 'reverted' | 'cancelled'): number =>
    book.total('chimera_settlements_total', { status }) -
    book.total('chimera_executions_reopened_total', { status });
  return {
    passes: book.total('chimera_passes_total'),
    planned: book.total('chimera_plans_total'),
    sent: book.total('chimera_transactions_sent_total'),
    succeeded: settled('succeeded'),
    failed:
      settled('reverted') +
      settled('cancelled') +
      book.total('chimera_settlements_total', { status: 'dropped' }),
    divergences: book.total('chimera_divergences_total'),
    passErrors: book.total('chimera_pass_failures_total'),
  };
}
