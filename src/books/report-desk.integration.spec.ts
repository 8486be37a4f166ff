import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestDatabase } from '../../testing/database.js';
import { aSpending } from '../../testing/builders/allowance.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import type { AlertDesk } from '../alerts/alert-desk.js';
import type { BotStatus, BotStatusReader } from '../bot/bot-status.js';
import { LEAST, VARIABLES } from '../../testing/configuration.js';
import { parseConfig } from '../config/index.js';
import { ReportsRepository } from '../database/index.js';
import type { Message } from '../domain/alert.js';
import type { SafetyController, TierReview } from '../safety/index.js';
import { ReportDesk } from './report-desk.js';

const WALLET = `0x${'5e'.repeat(20)}` as const;
const OTHER = `0x${'0e'.repeat(20)}` as const;
const RIVAL = `0x${'aa'.repeat(20)}`;
const HASH = `0x${'ab'.repeat(32)}`;

let running: TestDatabase;
let reports: ReportsRepository;

beforeAll(async () => {
  running = await TestDatabase.start();
  reports = new ReportsRepository(running.database);
  const day = '2026-01-02';
  const won = { protocol: 'aave', outcome: 'won' };
  const rejected = { protocol: 'aave', status: 'rejected' };
  await row({ ...won, profit: '12.5', simulated: '13', fees: '1000', at: `${day}T00:00:00Z` });
  await row({ ...won, profit: '7.5', simulated: '8', fees: '2000', at: `${day}T23:59:59.999Z` });
  const tooLate = { protocol: 'aave', outcome: 'lost', reason: 'HealthFactorNotBelowThreshold' };
  await row({ ...tooLate, profit: '-0.25', fees: '500', at: `${day}T10:00:00Z` });
  const outOfGas = { protocol: 'fork', outcome: 'malfunction', reason: 'out of gas' };
  await row({ ...outOfGas, profit: '-1', fees: '700', at: `${day}T11:00:00Z` });
  await row({ ...rejected, reason: 'profit-below-floor', at: `${day}T12:00:00Z` });
  await row({ ...rejected, reason: 'profit-below-floor', at: `${day}T13:00:00Z` });
  await row({ ...rejected, reason: 'simulation-reverted', at: `${day}T13:00:00Z` });
  // None of these belongs to the day of this wallet.
  const elsewhere = { ...won, profit: '100', fees: '1' };
  await row({ ...elsewhere, at: '2026-01-01T23:59:59.999Z' });
  await row({ ...elsewhere, at: '2026-01-03T00:00:00Z' });
  await row({ ...elsewhere, at: `${day}T10:00:00Z`, wallet: OTHER });
});
afterAll(() => running.stop());

interface NewRow {
  readonly protocol: string;
  readonly at: string;
  readonly outcome?: string;
  readonly status?: string;
  readonly profit?: string;
  readonly simulated?: string;
  readonly fees?: string;
  readonly reason?: string;
  readonly wallet?: string;
}

async function row(values: NewRow): Promise<void> {
  const { protocol, at, outcome, profit, simulated = '1', fees, reason, wallet = WALLET } = values;
  const status = values.status ?? (outcome === 'won' ? 'succeeded' : 'reverted');
  const details = outcome === 'lost' ? JSON.stringify({ rival: { sender: RIVAL } }) : null;
  await running.database.query(
    `INSERT INTO executions (protocol, borrower, block_number, block_hash, health_factor, collateral_asset, debt_asset,
       debt_to_cover, expected_collateral, simulated_profit_usd, gas_cost_usd, l1_fee_usd, operator_fee_usd, pool_fee_usd,
       bid_usd, simulated_net_profit_usd, notional_usd, mode, plan, created_at, status, reason, outcome, outcome_details,
       fees_wei, realised_profit_usd, settled_at, chain_id, wallet)
     VALUES ($1, $2, 1, $3, 1, $2, $2, 1, 1, 1, 0.1, 0.01, 0, 0, 0.4, $4, 250, 'live', '{}', $5, $6, $7, $8, $9, $10, $11,
       $12, 8453, $13)`,
    [
      protocol,
      wallet,
      HASH,
      simulated,
      at,
      status,
      reason ?? null,
      outcome ?? null,
      details,
      fees ?? null,
      profit ?? null,
      outcome ? at : null,
      wallet,
    ],
  );
}

describe('the reports', () => {
  let clock: TestClock;
  let status: Pick<BotStatus, 'phase' | 'mode' | 'lease' | 'operator' | 'operatorBalanceWei' | 'spending'>;
  let sent: {
    readonly message: Pick<Message, 'key' | 'title' | 'text' | 'details'>;
    readonly id: string | undefined;
  }[];
  let desk: ReportDesk;

  /** A process that starts at this time. */
  const open = (at: string): void => {
    clock = new TestClock(Date.parse(at));
    status = {
      ...{ phase: 'running', mode: 'live', operator: WALLET, operatorBalanceWei: 10n ** 18n },
      lease: { role: 'leader', holder: 'us', epoch: 1 },
      spending: aSpending(),
    };
    desk = new ReportDesk(
      reports,
      standIn<BotStatusReader>('bot', { status: () => status as BotStatus }),
      standIn<SafetyController>('safety', {
        status: () => ({ state: 'NORMAL', reason: 'first start' }) as ReturnType<SafetyController['status']>,
        volume: { todayUsd8: 25_000_000_000n } as SafetyController['volume'],
      }),
      standIn<TierReview>('tiers', {
        status: {
          tier: 1,
          next: undefined,
          criteria: [
            { what: 'executions that were won', needed: 'at least 20', seen: '2', met: false },
            { what: 'halts by the bot itself', needed: 'none', seen: '0', met: true },
          ],
        },
      }),
      standIn<AlertDesk>('desk', {
        notify: (message, id) => void sent.push({ message, id }),
        stored: () => Promise.resolve(),
      }),
      parseConfig(LEAST, VARIABLES),
      clock,
    );
  };

  beforeEach(async () => {
    sent = [];
    await running.database.query('DELETE FROM reports');
    await reports.made({ chainId: 8453, wallet: WALLET }, 'day', '2026-01-01');
    await reports.made({ chainId: 8453, wallet: WALLET }, 'week', '2025-12-22');
  });

  it('have the figures of the rows of the day, to the cent', async () => {
    open('2026-01-03T00:01:00Z');
    await desk.look();
    const [day] = sent;
    expect(day?.message.title).toBe('The day 2026-01-02: 18.75 USD');
    expect(day?.message.text).toBe(
      '2 won (66 % of the races), 1 lost, 0 stale, 0 refused, 1 malfunctions; 18.75 USD after all fees.',
    );
    expect(day?.message.details).toEqual([
      'aave: 19.75 USD; 2 won for 20.00 USD (simulated 21.00 USD) with 500.00 USD of debt repaid; 0.25 USD lost in fees',
      'fork: -1.00 USD; 0 won for 0.00 USD (simulated 0.00 USD) with 0.00 USD of debt repaid; 1.00 USD lost in fees',
      'Paid: 0.0000000000000042 ETH in fees. Planned: gas 0.40 USD, L1 data 0.04 USD, operator fee 0.00 USD, bids 1.60 USD',
      'Not won because: 1 × lost: HealthFactorNotBelowThreshold; 1 × malfunction: out of gas',
      `Rivals that were first: 1 × ${RIVAL}`,
      'Left because: 2 × profit-below-floor; 1 × simulation-reverted',
      expect.stringMatching(/^Today until now: 250\.00 USD of 2500\.00 USD of debt repaid, /),
      'Wallet: 1 ETH',
      'State: NORMAL (live): first start',
      'Limits: tier 1; the next tier is missing executions that were won: 2, needed at least 20',
    ]);
  });

  it('are made once, also by a process that starts again or takes over', async () => {
    open('2026-01-03T00:01:00Z');
    await desk.look();
    await desk.look();
    open('2026-01-03T09:00:00Z');
    await desk.look();
    expect(sent.map(({ id }) => id)).toEqual([`day-2026-01-02-${WALLET}`]);
    open('2026-01-04T00:00:00Z');
    await desk.look();
    expect(sent.map(({ id }) => id)).toEqual([`day-2026-01-02-${WALLET}`, `day-2026-01-03-${WALLET}`]);
    expect(sent[1]?.message.text).toContain('1 won');
  });

  it('cover the week on Monday', async () => {
    open('2026-01-05T00:00:30Z');
    await desk.look();
    expect(sent.map(({ message }) => message.title)).toEqual([
      'The day 2026-01-04: 0.00 USD',
      'The week from 2025-12-29: 218.75 USD',
    ]);
  });

  it('begin with the first day that the bot has behind it', async () => {
    await running.database.query('DELETE FROM reports');
    open('2026-01-03T00:01:00Z');
    await desk.look();
    expect(sent).toEqual([]);
    open('2026-01-04T00:01:00Z');
    await desk.look();
    expect(sent).toHaveLength(1);
  });

  it('are not made by a process that stands by, or that starts', async () => {
    open('2026-01-03T00:01:00Z');
    status = { ...status, lease: { role: 'standby', holder: 'other', epoch: 2 } };
    await desk.look();
    status = { ...status, phase: 'starting', lease: { role: 'leader', holder: 'us', epoch: 3 } };
    await desk.look();
    expect(sent).toEqual([]);
  });

  it('F28 wait for the database', async () => {
    open('2026-01-03T00:01:00Z');
    await running.dataSource.destroy();
    await desk.look();
    expect(sent).toEqual([]);
    await running.dataSource.initialize();
    await desk.look();
    expect(sent).toHaveLength(1);
  });
});
