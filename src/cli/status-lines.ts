import type { StatusAnswer } from '../api/status-answer.js';
import { parseDecimal } from '../config/index.js';
import { duration, many, percent, tokens, usd } from '../monitoring/told/figures.js';

/** The status for a person, one subject a line. */
export function statusLines(status: StatusAnswer, nowMs: number): string[] {
  const { network, mode, phase, lease, safety, positions, limits } = status;
  const since = (iso: string): string => duration(Math.max(0, nowMs - Date.parse(iso)));
  const lines: [subject: string, text: string][] = [
    ['bot', `${network.name} (chain ${network.chainId}), ${mode}, ${phase}, lease: ${lease.role}`],
    ['state', `${safety.state} for ${since(safety.since)}: ${safety.reason} (${safety.actor})`],
    ...safety.concerns.map(({ level, reason, since: raised, actor }): [string, string] => [
      'concern',
      `${level} for ${since(raised)}: ${reason} (${actor})`,
    ]),
    ['head', headText(status)],
    ...status.endpoints.map(({ role, state, latencyMs, ok, failed }): [string, string] => [
      'endpoint',
      `${role} ${state}${latencyMs === null ? '' : `, ${duration(latencyMs)}`}, ${many(ok, 'answer')}, ${many(failed, 'failure')}`,
    ]),
    [
      'positions',
      `${many(positions.total, 'position')}, ${positions.liquidatable} liquidatable, ${positions.inFlight} in flight, ${positions.setAside.length} set aside`,
    ],
    ...status.backfill.map(({ market, atBlock, toBlock }): [string, string] => [
      'search',
      `${market}: borrowers are known up to block ${atBlock} of ${toBlock}`,
    ]),
    ...status.incomplete.map(({ market }): [string, string] => [
      'search',
      `${market}: not every borrower is known`,
    ]),
    ['volume', used(dollars, limits.dailyVolumeUsedUsd, limits.maxDailyVolumeUsd)],
    [
      'fees',
      `${used(ether, limits.dailyFeeUsedEth, limits.maxDailyFeeEth)}, ${ether(limits.dailyFeeReservedEth)} reserved`,
    ],
    [
      'losses',
      `${used(dollars, limits.dailyLossUsedUsd, limits.maxDailyLossUsd)}, ${dollars(limits.dailyLossReservedUsd)} reserved`,
    ],
    [
      'wallet',
      `${ether(limits.walletLeftEth)} may be spent; nothing is signed below ${ether(limits.minOperatorBalanceEth)}`,
    ],
    ...setLines(status),
    ['outcomes', outcomesText(status)],
    ['database', databaseText(status, since)],
    ['alerts', many(status.alerts.active, 'active alert')],
  ];
  const width = Math.max(...lines.map(([subject]) => subject.length));
  return lines.map(([subject, text]) => `${subject.padEnd(width)}  ${text}`);
}

/** What operators have set. */
function setLines({ steering: { limits, paused, denied } }: StatusAnswer): [string, string][] {
  return [
    ...limits.map((one): [string, string] => ['limit', `${one.limit} ${dollars(one.valueUsd)}: ${by(one)}`]),
    ...paused.map((one): [string, string] => ['paused', `${one.protocol}: ${by(one)}`]),
    ...denied.map((one): [string, string] => ['denied', `${one.borrower}: ${by(one)}`]),
  ];
}

const by = ({ reason, actor }: { readonly reason: string; readonly actor: string }): string =>
  `${reason} (${actor})`;

function headText({ head, sinceLastPassMs, passes }: StatusAnswer): string {
  if (!head) return 'none yet';
  const pass = sinceLastPassMs === null ? 'no pass yet' : `last pass ${duration(sinceLastPassMs)} ago`;
  const failed =
    passes.failedInARow === 0 ? '' : `, ${passes.failedInARow} failed in a row: ${String(passes.lastError)}`;
  return `block ${head.number}, ${head.lagSeconds} s behind the clock, ${pass}${failed}`;
}

function outcomesText({ outcomes: { last24h, overall } }: StatusAnswer): string {
  const { won, lost, stale, refused, malfunction } = last24h;
  const rate = overall.winRateBps === null ? '' : `; of all races ${percent(overall.winRateBps)} were won`;
  return `in 24 h ${won} won, ${lost} lost, ${stale} stale, ${refused} refused, ${malfunction} malfunctions${rate}`;
}

function databaseText({ database }: StatusAnswer, since: (iso: string) => string): string {
  const { awaySince, latencyMs, waiting } = database;
  const state = awaySince === null ? `serves, ${duration(latencyMs)}` : `away for ${since(awaySince)}`;
  return waiting === 0 ? state : `${state}, ${many(waiting, 'row')} waiting`;
}

function used(show: (amount: string) => string, amount: string, limit: string): string {
  return `${show(amount)} of ${show(limit)} used today`;
}

const dollars = (amount: string): string => usd(parseDecimal(amount, 8) ?? 0n);
const ether = (amount: string): string => tokens(parseDecimal(amount, 18) ?? 0n, 18, 'ETH');
