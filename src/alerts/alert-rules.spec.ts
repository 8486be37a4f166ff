import { describe, expect, it } from 'vitest';
import { aWatched } from '../../testing/builders/watched.js';
import type { Cause } from '../domain/safety.js';
import { EVENT_RULES, RULE_NAMES, STATUS_RULES } from './alert-rules.js';
import type { Watched } from './watched.js';

interface Case {
  /** At the last value with which all is well. */
  readonly well: Partial<Watched>;
  readonly fires: Partial<Watched>;
  readonly says: readonly (string | [subject: string, text: string])[];
}

const WELL = aWatched();
const safety = (more: Partial<Watched['safety']>): Partial<Watched> => ({
  safety: { ...WELL.safety, ...more },
});
const rates = (more: Partial<Watched['rates']>): Partial<Watched> => ({ rates: { ...WELL.rates, ...more } });
const passes = (more: Partial<Watched['passes']>): Partial<Watched> => ({
  passes: { ...WELL.passes, ...more },
});
const concern = (cause: Cause, reason: string): Partial<Watched> =>
  safety({ state: 'HALTED', concerns: [{ cause, level: 'HALTED', reason }] });
const usd = (dollars: number): bigint => BigInt(dollars) * 10n ** 8n;

const CASES: Readonly<Record<string, Case>> = {
  halted: {
    well: safety({ state: 'THROTTLED' }),
    fires: safety({ state: 'HALTED', reason: 'a test', actor: 'ops' }),
    says: ['Nothing is signed until an operator resumes it; ops halted it: a test'],
  },
  'wallet-low': {
    well: { walletWei: 10n ** 17n },
    fires: { walletWei: 10n ** 17n - 1n },
    says: ['The wallet holds 0.099999999999999999 ETH and needs at least 0.1 ETH, so nothing is sent'],
  },
  'contract-trouble': {
    well: concern('chain', 'the newest block is old'),
    fires: concern('contract', 'the contract is paused'),
    says: ['the contract is paused'],
  },
  'signer-trouble': {
    well: concern('chain', 'the newest block is old'),
    fires: concern('signer', 'the operator wallet has sent 3 that this bot did not sign'),
    says: ['the operator wallet has sent 3 that this bot did not sign'],
  },
  'database-away': {
    well: { databaseAwayMs: undefined },
    fires: { databaseAwayMs: 12_400 },
    says: ['The database has not served for 12 s, so nothing is sent'],
  },
  throttled: {
    well: {},
    fires: safety({ state: 'THROTTLED', reason: 'the newest block is 20 s old' }),
    says: ['Fewer liquidations are executed, one at a time: the newest block is 20 s old'],
  },
  'inclusion-low': {
    well: rates({ inclusionBps: 5_000 }),
    fires: rates({ inclusionBps: 4_999, sample: 80 }),
    says: ['50.0 % of the last 80 transactions did what they should; at least 50.0 % was expected'],
  },
  'accuracy-low': {
    well: rates({ accuracyBps: 8_500 }),
    fires: rates({ accuracyBps: 8_000, won: 40 }),
    says: ['The last 40 wins brought 80.0 % of the simulated profit; at least 85.0 % was expected'],
  },
  'consecutive-failures': {
    well: safety({ consecutiveFailures: 1 }),
    fires: safety({ consecutiveFailures: 2 }),
    says: ['2 executions in a row were malfunctions'],
  },
  'daily-volume-high': {
    well: { volume: { usedUsd8: usd(90), limitUsd8: usd(100) } },
    fires: { volume: { usedUsd8: usd(90) + 1n, limitUsd8: usd(100) } },
    says: ['90 % of the debt that may be repaid today is used: 90.00 of 100.00 USD'],
  },
  'loss-budget-high': {
    well: { loss: { usedUsd8: usd(45), limitUsd8: usd(50) } },
    fires: { loss: { usedUsd8: usd(46), limitUsd8: usd(50) } },
    says: ['92 % of what may be lost today is used: 46.00 of 50.00 USD'],
  },
  'no-good-pass': {
    well: passes({ failedInARow: 8, failingSinceMs: 29_999 }),
    fires: passes({ failedInARow: 9, failingSinceMs: 30_000, lastError: 'no endpoint answers' }),
    says: ['No pass has succeeded for 30 s; 9 failed in a row, the last: no endpoint answers'],
  },
  'not-started': {
    well: { phase: 'starting', phaseForMs: 299_999 },
    fires: { phase: 'starting', phaseForMs: 300_000, ...passes({ lastError: 'no endpoint answers' }) },
    says: ['The bot has been starting for 300 s; the last error: no endpoint answers'],
  },
  'second-process': {
    well: { lease: { role: 'taking-over', holder: undefined } },
    fires: { lease: { role: 'standby', holder: 'other:7:def' }, nonceInQuestion: 4 },
    says: [
      ['lease', 'This process stands by, because another one signs with the wallet (other:7:def)'],
      ['nonce', 'The chain counts transactions of the wallet that this bot did not sign; 4 positions wait'],
    ],
  },
  'market-refused': {
    well: { refused: [] },
    fires: { refused: [{ market: 'aave', reason: 'aave: the pool has POOL_REVISION 12' }] },
    says: [
      [
        'aave',
        'Nothing of aave is liquidated, because its rules are not known: aave: the pool has POOL_REVISION 12',
      ],
    ],
  },
  'daily-volume-rising': {
    well: { volume: { usedUsd8: usd(80), limitUsd8: usd(100) } },
    fires: { volume: { usedUsd8: usd(81), limitUsd8: usd(100) } },
    says: ['81 % of the debt that may be repaid today is used: 81.00 of 100.00 USD'],
  },
  'inclusion-falling': {
    well: rates({ inclusionBps: 6_000 }),
    fires: rates({ inclusionBps: 5_500 }),
    says: ['55.0 % of the last 100 transactions did what they should; below 60.0 % throttles'],
  },
  'accuracy-falling': {
    well: rates({ accuracyBps: 9_000 }),
    fires: rates({ accuracyBps: 8_700 }),
    says: ['The last 90 wins brought 87.0 % of the simulated profit; below 90.0 % throttles'],
  },
  'endpoint-degraded': {
    well: {},
    fires: {
      endpoints: [
        { role: 'primary', state: 'ok', struggling: true },
        { role: 'backup', state: 'circuit-open', struggling: false },
      ],
    },
    says: [
      ['primary', 'The primary endpoint fails often or is slow, so it is asked second'],
      ['backup', 'The backup endpoint is not used: circuit-open'],
    ],
  },
  'position-set-aside': {
    well: { setAside: [] },
    fires: {
      setAside: [
        { market: 'aave', account: '0x01', sinceBlock: 7 },
        { market: 'aave', account: '0x02', sinceBlock: 9 },
      ],
    },
    says: [
      [
        'aave',
        '2 positions of aave are not liquidated until books and chain agree; the first is 0x01, since block 7',
      ],
    ],
  },
  'backfill-incomplete': {
    well: { incomplete: ['aave'], phase: 'starting' },
    fires: { incomplete: ['aave'] },
    says: [['aave', 'It is not proven that every borrower of aave is known, so liquidations may be missed']],
  },
};

describe('a rule of the status', () => {
  it('has a case here', () => {
    expect(Object.keys(CASES)).toEqual(Object.keys(STATUS_RULES));
  });

  it.each(Object.keys(STATUS_RULES))(
    '%s says what is wrong with its numbers, and is silent before',
    (name) => {
      const { well, fires, says } = CASES[name]!;
      const find = (more: Partial<Watched>): unknown[] =>
        STATUS_RULES[name]!.find(aWatched(more)).map(({ subject, text }) =>
          subject === undefined ? text : [subject, text],
        );
      expect(find({})).toEqual([]);
      expect(find(well)).toEqual([]);
      expect(find(fires)).toEqual(says);
    },
  );

  it('is silent about rates of too few executions, an unread balance, and a limit of 0', () => {
    const unknown = aWatched({
      ...rates({ inclusionBps: undefined, accuracyBps: undefined }),
      walletWei: undefined,
      volume: { usedUsd8: 0n, limitUsd8: 0n },
    });
    expect(Object.values(STATUS_RULES).flatMap(({ find }) => find(unknown))).toEqual([]);
  });

  it('is covered only by rules that exist', () => {
    for (const { coveredBy = [] } of Object.values(STATUS_RULES))
      for (const name of coveredBy) expect(Object.keys(STATUS_RULES)).toContain(name);
  });
});

describe('a rule of events', () => {
  it('unhandled-rejection tells the error that nobody handled', () => {
    const { on } = EVENT_RULES['unhandled-rejection']!;
    expect(
      on['unhandled-error']?.({ event: 'unhandled-error', message: 'x is no function', stack: '' }),
    ).toEqual({
      text: 'No part of the bot has handled an error, so it has halted and ended: x is no function',
    });
  });
});

it('no two rules have one name', () => {
  expect(new Set(RULE_NAMES).size).toBe(RULE_NAMES.length);
  expect(Object.keys(EVENT_RULES).filter((name) => name in STATUS_RULES)).toEqual([]);
});

it('the halt of an outage says that it ends by itself, unless something else is wrong or it must not', () => {
  const halt = (resumesAfterSeconds: number, ...causes: Cause[]): string[] => {
    const concerns = causes.map((cause) => ({ cause, level: 'HALTED' as const, reason: 'old' }));
    const more = { state: 'HALTED' as const, reason: 'old', concerns, resumesAfterSeconds };
    return STATUS_RULES['halted']?.find(aWatched(safety(more))).map(({ text }) => text) ?? [];
  };
  const byOperator = ['Nothing is signed until an operator resumes it; chimera halted it: old'];
  expect(halt(120, 'chain', 'rpc')).toEqual([
    'Nothing is signed until chain and endpoints were well for 120 s, or an operator resumes it; chimera halted it: old',
  ]);
  expect(halt(120, 'chain', 'books')).toEqual(byOperator);
  expect(halt(0, 'chain')).toEqual(byOperator);
});
