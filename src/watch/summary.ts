import { duration, many, signedUsd, usd } from '../monitoring/told/figures.js';
import { wrapped } from '../monitoring/told/wrapped.js';
import type { Tally } from './tally.js';

/** No line is longer, except one with a word that is. */
export const COLUMNS = 80;

/** The result of a run, for programs. USD with 8 decimals as text. */
export interface Summary {
  readonly block: number | null;
  readonly passes: number;
  readonly failedPasses: number;
  readonly positions: number;
  /** Below a health factor of 1 at the last block. */
  readonly liquidatable: number;
  readonly planned: number;
  readonly netProfitUsd8: string;
  readonly notionalUsd8: string;
  /** Of the planned ones, those that another account liquidated. */
  readonly taken: readonly { readonly borrower: string; readonly sender: string; readonly hash: string }[];
  /** Why positions below 1 were left, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** Milliseconds from the command to the first plan; null where there was none. */
  readonly firstPlanMs: number | null;
  readonly halted: string | null;
}

export function summaryOf(tally: Tally): Summary {
  return {
    block: tally.lastPass?.block ?? null,
    passes: tally.passes,
    failedPasses: tally.failedPasses,
    positions: tally.lastPass?.positions ?? 0,
    liquidatable: tally.lastPass?.liquidatable ?? 0,
    planned: tally.planned.size,
    netProfitUsd8: String(tally.netProfitUsd8),
    notionalUsd8: String(tally.notionalUsd8),
    taken: tally.taken.flatMap(({ borrower, rival }) =>
      rival ? [{ borrower, sender: rival.sender, hash: rival.hash }] : [],
    ),
    skipped: Object.fromEntries(tally.skipped),
    firstPlanMs: tally.firstPlanMs ?? null,
    halted: tally.halted ?? null,
  };
}

/** The same for people. */
export function summaryLines(tally: Tally): string[] {
  const { block, passes, positions, liquidatable, planned, netProfitUsd8, notionalUsd8, taken } =
    summaryOf(tally);
  const sentences = [
    block === null
      ? 'No block was looked at.'
      : `${many(passes, 'block')} looked at, the last one ${block}: ${many(positions, 'position')} with debt, ${liquidatable} below a health factor of 1.`,
    `It would have liquidated ${many(planned, 'position')}: ${usd(notionalUsd8)} of debt, for ${signedUsd(netProfitUsd8)} after all costs, by simulation.`,
    ...(tally.firstPlanMs === undefined
      ? []
      : [`The first plan was proved ${duration(tally.firstPlanMs)} after the start.`]),
    ...(taken.length === 0 ? [] : [`Other accounts liquidated ${taken.length} of them:`]),
    ...tally.taken.map(
      ({ borrower, rival }) => `${borrower} by ${rival?.sender ?? ''} in block ${rival?.block ?? 0}`,
    ),
    ...[...tally.skipped].map(([reason, count]) => `Left alone (${reason}): ${count}.`),
    ...(tally.halted === undefined ? [] : [`It is halted: ${tally.halted}.`]),
  ];
  return sentences.flatMap((sentence) => wrapped(sentence, COLUMNS, '', '  '));
}
