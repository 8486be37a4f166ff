import type { Counted, OutcomeFigures, PeriodFigures } from '../database/index.js';
import { formatUnits, formatUsd8 } from '../domain/money.js';
import { NO_OUTCOMES, type OutcomeTotals } from '../domain/outcome-tally.js';
import type { ReportPeriod } from './period.js';

/** How the bot stands when the report is made. */
export interface Standing {
  readonly mode: 'dry-run' | 'live';
  readonly state: string;
  readonly stateReason: string;
  /** Wei; undefined before it was read. */
  readonly walletWei: bigint | undefined;
  readonly volume: { readonly usedUsd8: bigint; readonly limitUsd8: bigint };
  readonly loss: { readonly usedUsd8: bigint; readonly limitUsd8: bigint };
  /** Of the next tier of limits; empty at the highest. */
  readonly criteria: readonly {
    readonly what: string;
    readonly needed: string;
    readonly seen: string;
    readonly met: boolean;
  }[];
  /** From 1. */
  readonly tier: number;
}

/** A report as it is sent. */
export interface Report {
  readonly title: string;
  readonly text: string;
  readonly details: readonly string[];
}

/** So many of a list are named; the rest is a number. */
const MOST_NAMED = 5;

/** What a period brought, what it cost, what was left, and how the bot stands. Pure. */
export function reportOf(period: ReportPeriod, figures: PeriodFigures, standing: Standing): Report {
  const when = period.kind === 'day' ? `day ${period.day}` : `week from ${period.day}`;
  const { title, text, details } = summaryOf(`The ${when}`, figures);
  return { title, text, details: [...details, ...standingLines(standing)] };
}

/** What a period brought, what it cost, and what was left. Pure. @param when begins the title */
export function summaryOf(when: string, figures: PeriodFigures): Report {
  const { outcomes } = figures;
  const profitUsd8 = sumOf(outcomes, ({ profitUsd8: one }) => one);
  const counts = countsOf(outcomes);
  const races = counts.won.count + counts.lost.count;
  const share = races === 0 ? '' : ` (${Math.floor((counts.won.count * 100) / races)} % of the races)`;
  return {
    title: `${when}: ${usd(profitUsd8)}`,
    text: `${counts.won.count} won${share}, ${counts.lost.count} lost, ${counts.stale.count} stale, ${counts.refused.count} refused, ${counts.malfunction.count} malfunctions; ${usd(profitUsd8)} after all fees.`,
    details: [
      ...marketsOf(outcomes),
      ...costsOf(outcomes),
      ...named('Not won because', figures.lostBecause),
      ...named('Rivals that were first', figures.rivals),
      ...named('Left because', figures.rejections),
      ...dryRunsOf(figures.dryRuns),
    ],
  };
}

function marketsOf(outcomes: readonly OutcomeFigures[]): string[] {
  return [...new Set(outcomes.map(({ protocol }) => protocol))].map((protocol) => {
    const ours = outcomes.filter((one) => one.protocol === protocol);
    const won = ours.filter(({ outcome }) => outcome === 'won');
    const others = ours.filter(({ outcome }) => outcome !== 'won');
    const profit = sumOf(ours, ({ profitUsd8 }) => profitUsd8);
    const lost = sumOf(others, ({ profitUsd8 }) => -profitUsd8);
    const volume = sumOf(won, ({ notionalUsd8 }) => notionalUsd8);
    const simulated = sumOf(won, ({ simulatedUsd8 }) => simulatedUsd8);
    const count = won.reduce((total, one) => total + one.count, 0);
    return `${protocol}: ${usd(profit)}; ${count} won for ${usd(profit + lost)} (simulated ${usd(simulated)}) with ${usd(volume)} of debt repaid; ${usd(lost)} lost in fees`;
  });
}

function costsOf(outcomes: readonly OutcomeFigures[]): string[] {
  if (outcomes.length === 0) return [];
  const total = (part: (one: OutcomeFigures) => bigint): string => usd(sumOf(outcomes, part));
  const fees = sumOf(outcomes, ({ feesWei }) => feesWei);
  return [
    `Paid: ${formatUnits(fees, 18)} ETH in fees. Planned: gas ${total(({ gasUsd8 }) => gasUsd8)}, L1 data ${total(({ l1Usd8 }) => l1Usd8)}, operator fee ${total(({ operatorUsd8 }) => operatorUsd8)}, bids ${total(({ bidUsd8 }) => bidUsd8)}`,
  ];
}

function dryRunsOf({ count, simulatedUsd8 }: PeriodFigures['dryRuns']): string[] {
  return count === 0 ? [] : [`Dry run: ${count} plans would have been sent, for ${usd(simulatedUsd8)}`];
}

function standingLines(standing: Standing): string[] {
  const { mode, state, stateReason, walletWei, volume, loss, criteria, tier } = standing;
  const missing = criteria.filter(({ met }) => !met);
  const needs = missing.map(({ what, needed, seen }) => `${what}: ${seen}, needed ${needed}`).join('; ');
  const next =
    missing.length === 0 ? 'every criterion of the next tier is met' : `the next tier is missing ${needs}`;
  return [
    `Today until now: ${usd(volume.usedUsd8)} of ${usd(volume.limitUsd8)} of debt repaid, ${usd(loss.usedUsd8)} of ${usd(loss.limitUsd8)} lost or reserved`,
    `Wallet: ${walletWei === undefined ? 'not read yet' : `${formatUnits(walletWei, 18)} ETH`}`,
    `State: ${state} (${mode}): ${stateReason}`,
    ...(criteria.length === 0 ? [] : [`Limits: tier ${tier}; ${next}`]),
  ];
}

function named(title: string, list: readonly Counted[]): string[] {
  if (list.length === 0) return [];
  const first = list.slice(0, MOST_NAMED).map(({ what, count }) => `${count} × ${what}`);
  const others = list.slice(MOST_NAMED).reduce((total, { count }) => total + count, 0);
  return [`${title}: ${[...first, ...(others > 0 ? [`${others} others`] : [])].join('; ')}`];
}

function countsOf(outcomes: readonly OutcomeFigures[]): OutcomeTotals {
  const totals = { ...NO_OUTCOMES };
  for (const { outcome, count, feesWei, profitUsd8 } of outcomes) {
    const before = totals[outcome];
    totals[outcome] = {
      count: before.count + count,
      feesWei: before.feesWei + feesWei,
      profitUsd8: before.profitUsd8 + profitUsd8,
    };
  }
  return totals;
}

function sumOf(outcomes: readonly OutcomeFigures[], part: (one: OutcomeFigures) => bigint): bigint {
  return outcomes.reduce((total, one) => total + part(one), 0n);
}

function usd(usd8: bigint): string {
  return `${formatUsd8(usd8)} USD`;
}
