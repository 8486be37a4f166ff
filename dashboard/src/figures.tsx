import { useState } from 'preact/hooks';
import type { AlertsPage, StatusAnswer, WorkingLimitsAnswer } from './answers.js';
import { ask, textOf } from './api.js';
import { count, dollars, ether, instant } from './amounts.js';
import { useAsked } from './asked.js';
import { Bar, Panel, Rows } from './table.js';

const SLOW_MS = 5_000;

interface Of {
  readonly status: StatusAnswer;
}

/** Of the newest passes. */
export function Stages({ status: { stages } }: Of) {
  return (
    <Panel title="Time of each stage, p50 and p99">
      {stages.length === 0 ? <p class="soft">The first pass is awaited.</p> : null}
      <Rows
        rows={stages.map(({ stage, p50Ms, p99Ms, sample }) => ({
          name: stage,
          value: `${p50Ms.toFixed(1)} ms, ${p99Ms.toFixed(1)} ms`,
          title: `Of the last ${count(sample)}`,
        }))}
      />
    </Panel>
  );
}

export function Outcomes({ status }: Of) {
  const { won, lost, stale, refused, malfunction, lossesUsd, winRateBps } = status.outcomes.overall;
  return (
    <Panel title="Outcomes">
      <Rows
        rows={[
          { name: 'Won', value: count(won) },
          { name: 'Lost', value: count(lost), title: 'A rival was first' },
          { name: 'Stale', value: count(stale), title: 'The market came back, or the deadline passed' },
          { name: 'Refused', value: count(refused), title: 'By every node' },
          { name: 'Malfunction', value: count(malfunction), title: 'Only these count as failures' },
          {
            name: 'Win rate',
            value: winRateBps === null ? '–' : `${(winRateBps / 100).toFixed(1)} %`,
            title: 'Won of won and lost',
          },
          { name: 'Fees lost', value: dollars(lossesUsd), title: 'Fees of what was not won' },
        ]}
      />
    </Panel>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  maxSingleExecutionUsd: 'Largest execution',
  maxDailyVolumeUsd: 'Daily volume',
  minProfitUsd: 'Least profit',
};

export function Budgets({ status: { limits }, apiKey }: Of & { apiKey: string }) {
  const { answer } = useAsked<WorkingLimitsAnswer>(apiKey, 'limits', SLOW_MS);
  const bar = (name: string, used: string, limit: string, unit: (text: string) => string) => (
    <Bar name={name} used={Number(used)} limit={Number(limit)} text={`${unit(used)} of ${unit(limit)}`} />
  );
  return (
    <Panel title="Used today (UTC)">
      {bar('Volume', limits.dailyVolumeUsedUsd, limits.maxDailyVolumeUsd, dollars)}
      {bar('Fees', limits.dailyFeeUsedEth, limits.maxDailyFeeEth, ether)}
      {bar('Loss', limits.dailyLossUsedUsd, limits.maxDailyLossUsd, dollars)}
      <Rows
        rows={(answer?.limits ?? []).map(({ name, valueUsd, setBy }) => ({
          name: WORDS[name] ?? name,
          value: dollars(valueUsd),
          title: setBy ? `Set by ${setBy.actor}: ${setBy.reason}` : 'As configured',
        }))}
      />
    </Panel>
  );
}

export function Endpoints({ status: { endpoints, database } }: Of) {
  return (
    <Panel title="Endpoints">
      <Rows
        rows={[
          ...endpoints.map(({ role, state, latencyMs }) => ({
            name: role,
            value: latencyMs === null ? state : `${state}, ${latencyMs} ms`,
            title: 'A node: how it fares, and its last answer',
          })),
          {
            name: 'database',
            value: database.awaySince === null ? `ok, ${Math.round(database.latencyMs)} ms` : 'away',
            title: 'How long its last answer took',
          },
        ]}
      />
    </Panel>
  );
}

export function Alerts({ apiKey }: { apiKey: string }) {
  const { answer, problem } = useAsked<AlertsPage>(apiKey, 'alerts', SLOW_MS);
  const [told, setTold] = useState('');
  const acknowledge = async (id: string): Promise<void> => {
    try {
      await ask(apiKey, `alerts/${encodeURIComponent(id)}/acknowledge`, { reason: 'seen on the dashboard' });
      setTold('Acknowledged.');
    } catch (error) {
      setTold(textOf(error));
    }
  };
  const alerts = answer?.alerts ?? [];
  return (
    <Panel title="Alerts">
      {alerts.length === 0 ? <p class="soft">Nothing is wrong.</p> : null}
      <ul>
        {alerts.map(({ id, severity, title, text, since, acknowledgedBy }) => (
          <li key={id}>
            <strong class={severity === 'critical' ? 'lost' : ''}>{title}</strong>{' '}
            <small>{instant(since)}</small>
            <br />
            {text}{' '}
            {acknowledgedBy === null ? (
              <button type="button" onClick={() => void acknowledge(id)}>
                Acknowledge
              </button>
            ) : (
              <small>seen by {acknowledgedBy}</small>
            )}
          </li>
        ))}
      </ul>
      <p role="status">{told || problem}</p>
    </Panel>
  );
}

export function Feeds({ status: { feeds } }: Of) {
  return (
    <Panel title="Price feeds">
      {feeds.length === 0 ? <p class="soft">Each market's feeds appear once they have been asked.</p> : null}
      {feeds.map(({ market, debtUsd, kinds }) => (
        <Rows
          key={market}
          rows={[
            { name: market, value: dollars(debtUsd), title: 'Debt that depends on its prices' },
            ...Object.entries(kinds)
              .filter(([, { feeds: number }]) => number > 0)
              .map(([kind, { feeds: number, debtShareBps }]) => ({
                name: `${kind}: ${number}`,
                value: `${(debtShareBps / 100).toFixed(1)} %`,
                title: 'Share of the debt behind feeds of this kind',
              })),
          ]}
        />
      ))}
    </Panel>
  );
}
