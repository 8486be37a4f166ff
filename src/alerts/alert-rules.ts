import type { Severity } from '../domain/alert.js';
import type { BotEvent, EventNamed } from '../domain/events/events.js';
import { formatUnits, formatUsd8 } from '../domain/money.js';
import { endsAlone } from '../domain/safety.js';
import type { Watched } from './watched.js';

/** What a rule found: one sentence with the numbers, and of what, when there may be several. */
export interface Finding {
  readonly subject?: string;
  readonly text: string;
}

interface Rule {
  readonly severity: Severity;
  readonly title: string;
}

/** Fires while it finds something in the status. */
export interface StatusRule extends Rule {
  /** It must last so long before it is told. Milliseconds. */
  readonly afterMs?: number;
  /** It is over when nothing was found for so long. Milliseconds. */
  readonly clearAfterMs?: number;
  /** While one of these fires, it does not begin: it would say the same in weaker words. */
  readonly coveredBy?: readonly string[];
  readonly find: (watched: Watched) => readonly Finding[];
}

type FindIn<E extends BotEvent> = (event: E) => Finding | undefined;

/** Fires at an event that leaves no trace in the status. It is over when an operator acknowledges it. */
export interface EventRule extends Rule {
  readonly on: { readonly [Name in BotEvent['event']]?: FindIn<EventNamed<Name>> };
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/**
 * Everything that is told to an operator, one row for each. The name of a row is the name of its section in
 * docs/runbook.md.
 */
export const STATUS_RULES: Readonly<Record<string, StatusRule>> = {
  halted: {
    severity: 'CRITICAL',
    title: 'The bot is HALTED',
    find: ({ safety: { state, reason, actor, concerns, resumesAfterSeconds } }) => {
      const halts = concerns.filter(({ level }) => level === 'HALTED');
      const endsByItself =
        resumesAfterSeconds > 0 && halts.length > 0 && halts.every(({ cause }) => endsAlone(cause));
      const until = endsByItself
        ? `chain and endpoints were well for ${resumesAfterSeconds} s, or an operator resumes it`
        : 'an operator resumes it';
      return when(state === 'HALTED', `Nothing is signed until ${until}; ${actor} halted it: ${reason}`);
    },
  },
  'wallet-low': {
    severity: 'CRITICAL',
    title: 'The wallet is below its minimum',
    find: ({ walletWei, minWalletWei }) =>
      walletWei === undefined
        ? []
        : when(
            walletWei < minWalletWei,
            `The wallet holds ${eth(walletWei)} ETH and needs at least ${eth(minWalletWei)} ETH, so nothing is sent`,
          ),
  },
  'contract-trouble': {
    severity: 'CRITICAL',
    title: 'The contract does not accept this bot',
    find: ({ safety: { concerns } }) => reasonsOf(concerns, 'contract'),
  },
  'signer-trouble': {
    severity: 'CRITICAL',
    title: 'Someone else uses the key of this bot',
    find: ({ safety: { concerns } }) => reasonsOf(concerns, 'signer'),
  },
  'database-away': {
    severity: 'CRITICAL',
    title: 'The database is away',
    afterMs: 10 * SECOND_MS,
    clearAfterMs: 10 * SECOND_MS,
    find: ({ databaseAwayMs }) =>
      databaseAwayMs === undefined
        ? []
        : [{ text: `The database has not served for ${seconds(databaseAwayMs)} s, so nothing is sent` }],
  },
  throttled: {
    severity: 'HIGH',
    title: 'The bot is THROTTLED',
    clearAfterMs: 10 * SECOND_MS,
    coveredBy: ['halted'],
    find: ({ safety: { state, reason } }) =>
      when(state !== 'NORMAL', `Fewer liquidations are executed, one at a time: ${reason}`),
  },
  'inclusion-low': {
    severity: 'HIGH',
    title: 'Too few transactions succeed',
    find: ({ rates: { inclusionBps, haltInclusionBps, sample } }) =>
      below(
        inclusionBps,
        haltInclusionBps,
        (found, limit) =>
          `${found} of the last ${sample} transactions did what they should; at least ${limit} was expected`,
      ),
  },
  'accuracy-low': {
    severity: 'HIGH',
    title: 'Profits are far below what was simulated',
    find: ({ rates: { accuracyBps, haltAccuracyBps, won } }) =>
      below(
        accuracyBps,
        haltAccuracyBps,
        (found, limit) =>
          `The last ${won} wins brought ${found} of the simulated profit; at least ${limit} was expected`,
      ),
  },
  'consecutive-failures': {
    severity: 'HIGH',
    title: 'Executions fail in a row',
    find: ({ safety: { consecutiveFailures } }) =>
      when(consecutiveFailures >= 2, `${consecutiveFailures} executions in a row were malfunctions`),
  },
  'daily-volume-high': {
    severity: 'HIGH',
    title: 'The volume of the day is nearly used up',
    find: ({ volume }) => above(volume, 90n, 'of the debt that may be repaid today'),
  },
  'loss-budget-high': {
    severity: 'HIGH',
    title: 'The losses of the day are nearly used up',
    find: ({ loss }) => above(loss, 90n, 'of what may be lost today'),
  },
  'no-good-pass': {
    severity: 'HIGH',
    title: 'No pass succeeds',
    find: ({ passes: { failedInARow, failingSinceMs = 0, runningSinceMs = 0, lastError } }) => {
      const sinceMs = Math.max(failingSinceMs, runningSinceMs);
      const why =
        failedInARow > 0
          ? `${failedInARow} failed in a row, the last: ${lastError ?? '?'}`
          : 'one does not end';
      return when(sinceMs >= 30 * SECOND_MS, `No pass has succeeded for ${seconds(sinceMs)} s; ${why}`);
    },
  },
  'not-started': {
    severity: 'HIGH',
    title: 'The bot does not come up',
    find: ({ phase, phaseForMs, passes: { lastError } }) =>
      when(
        phase === 'starting' && phaseForMs >= 5 * MINUTE_MS,
        `The bot has been starting for ${seconds(phaseForMs)} s${lastError === undefined ? '' : `; the last error: ${lastError}`}`,
      ),
  },
  'second-process': {
    severity: 'HIGH',
    title: 'A second process has the key of this bot',
    afterMs: 10 * SECOND_MS,
    coveredBy: ['signer-trouble'],
    find: ({ lease: { role, holder }, nonceInQuestion }) => [
      ...when(
        role === 'standby',
        `This process stands by, because another one signs with the wallet (${holder ?? 'unknown'})`,
        'lease',
      ),
      ...when(
        nonceInQuestion > 0,
        `The chain counts transactions of the wallet that this bot did not sign; ${nonceInQuestion} positions wait`,
        'nonce',
      ),
    ],
  },
  'market-refused': {
    severity: 'HIGH',
    title: 'A market is not served',
    find: ({ refused }) =>
      refused.map(({ market, reason }) => ({
        subject: market,
        text: `Nothing of ${market} is liquidated, because its rules are not known: ${reason}`,
      })),
  },
  'daily-volume-rising': {
    severity: 'MEDIUM',
    title: 'Most of the volume of the day is used',
    coveredBy: ['daily-volume-high'],
    find: ({ volume }) => above(volume, 80n, 'of the debt that may be repaid today'),
  },
  'inclusion-falling': {
    severity: 'MEDIUM',
    title: 'Fewer transactions succeed',
    coveredBy: ['inclusion-low'],
    find: ({ rates: { inclusionBps, throttleInclusionBps, sample } }) =>
      below(
        inclusionBps,
        throttleInclusionBps,
        (found, limit) =>
          `${found} of the last ${sample} transactions did what they should; below ${limit} throttles`,
      ),
  },
  'accuracy-falling': {
    severity: 'MEDIUM',
    title: 'Profits are below what was simulated',
    coveredBy: ['accuracy-low'],
    find: ({ rates: { accuracyBps, throttleAccuracyBps, won } }) =>
      below(
        accuracyBps,
        throttleAccuracyBps,
        (found, limit) =>
          `The last ${won} wins brought ${found} of the simulated profit; below ${limit} throttles`,
      ),
  },
  'endpoint-degraded': {
    severity: 'MEDIUM',
    title: 'An endpoint does not serve well',
    afterMs: 15 * SECOND_MS,
    clearAfterMs: MINUTE_MS,
    find: ({ endpoints }) =>
      endpoints.flatMap(({ role, state, struggling }) =>
        state === 'ok' && !struggling
          ? []
          : [
              {
                subject: role,
                text:
                  state === 'ok'
                    ? `The ${role} endpoint fails often or is slow, so it is asked second`
                    : `The ${role} endpoint is not used: ${state}`,
              },
            ],
      ),
  },
  'position-set-aside': {
    severity: 'MEDIUM',
    title: 'A position differs from the chain',
    clearAfterMs: 10 * SECOND_MS,
    // One alert for each market, whatever the number of positions.
    find: ({ setAside }) =>
      [...new Set(setAside.map(({ market }) => market))].map((subject) => {
        const positions = setAside.filter(({ market }) => market === subject);
        const [first] = positions;
        return {
          subject,
          text: `${positions.length} positions of ${subject} are not liquidated until books and chain agree; the first is ${first?.account ?? '?'}, since block ${first?.sinceBlock ?? '?'}`,
        };
      }),
  },
  'backfill-incomplete': {
    severity: 'MEDIUM',
    title: 'Not every borrower is known',
    afterMs: 5 * MINUTE_MS,
    find: ({ phase, incomplete }) =>
      phase === 'starting'
        ? []
        : incomplete.map((market) => ({
            subject: market,
            text: `It is not proven that every borrower of ${market} is known, so liquidations may be missed`,
          })),
  },
};

export const EVENT_RULES: Readonly<Record<string, EventRule>> = {
  'unhandled-rejection': {
    severity: 'CRITICAL',
    title: 'The bot has ended with a bug',
    on: {
      'unhandled-error': ({ message }) => ({
        text: `No part of the bot has handled an error, so it has halted and ended: ${message}`,
      }),
    },
  },
};

/** Of the desk itself: a storm was cut short. */
export const LEFT_OUT_RULE = 'alerts-left-out';

/** The names of all alerts, as the runbook has them. */
export const RULE_NAMES: readonly string[] = [
  ...Object.keys(STATUS_RULES),
  ...Object.keys(EVENT_RULES),
  LEFT_OUT_RULE,
];

function when(holds: boolean, text: string, subject?: string): Finding[] {
  return holds ? [{ text, ...(subject !== undefined && { subject }) }] : [];
}

function reasonsOf(concerns: Watched['safety']['concerns'], wanted: string): Finding[] {
  return concerns.filter(({ cause }) => cause === wanted).map(({ reason }) => ({ text: reason }));
}

function below(
  bps: number | undefined,
  limitBps: number,
  text: (found: string, limit: string) => string,
): Finding[] {
  return bps === undefined ? [] : when(bps < limitBps, text(percent(bps), percent(limitBps)));
}

/** More than so many percent of the limit. A limit of 0 is a choice of the operator, and no trouble. */
function above(
  { usedUsd8, limitUsd8 }: { readonly usedUsd8: bigint; readonly limitUsd8: bigint },
  limitPercent: bigint,
  what: string,
): Finding[] {
  if (limitUsd8 === 0n) return [];
  const used = (usedUsd8 * 100n) / limitUsd8;
  return when(
    usedUsd8 * 100n > limitUsd8 * limitPercent,
    `${used} % ${what} is used: ${formatUsd8(usedUsd8)} of ${formatUsd8(limitUsd8)} USD`,
  );
}

function eth(wei: bigint): string {
  return formatUnits(wei, 18);
}

function seconds(ms: number): number {
  return Math.round(ms / SECOND_MS);
}

/** For display only. */
function percent(bps: number): string {
  return `${(bps / 100).toFixed(1)} %`;
}
