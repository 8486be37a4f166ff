import type { DatabaseAt } from './database.js';
import { DRILL } from './drill.js';
import { problem, well, type Check } from './finding.js';

/** So long a dry run has to go well before the first live one. */
export const DRY_RUN_HOURS = 24;
/** Decisions at least every so often, or the bot did not run all the time. */
const LONGEST_PAUSE_HOURS = 6;
const HOUR_MS = 3_600_000;

/** What must hold before the first live run, beside everything else. */
export const LIVE: readonly Check<DatabaseAt>[] = [
  {
    name: 'dry run',
    look: async ({ database, config: { network } }) => {
      const rows = await database.query(
        `SELECT created_at AS at FROM executions
         WHERE chain_id = $1::bigint AND mode = 'dry-run' AND created_at > now() - $2::int * interval '1 hour'
         UNION ALL SELECT now() ORDER BY 1`,
        [network.chainId, 2 * DRY_RUN_HOURS],
      );
      const times = rows.map(({ at }) => new Date(String(at)).getTime());
      const hours = hoursOf(times);
      const found = `the dry run has made decisions for ${hours.toFixed(1)} hours without a pause of ${LONGEST_PAUSE_HOURS} hours`;
      return hours >= DRY_RUN_HOURS
        ? well(found)
        : problem(found, `let the bot run in dry-run for ${DRY_RUN_HOURS} hours`);
    },
  },
  {
    name: 'faults',
    look: async ({ database, config: { network } }) => {
      const rows = await database.query(
        `SELECT reason FROM state_transitions
         WHERE chain_id = $1::bigint AND to_state = 'HALTED' AND cause IS DISTINCT FROM 'operator'
           AND at > now() - $2::int * interval '1 hour' ORDER BY at DESC`,
        [network.chainId, DRY_RUN_HOURS],
      );
      if (rows.length === 0) return well(`the bot did not halt by itself in the last ${DRY_RUN_HOURS} hours`);
      return problem(
        `the bot halted ${rows.length} times in the last ${DRY_RUN_HOURS} hours, last: ${String(rows[0]?.['reason'])}`,
        'follow docs/runbook.md for that cause, and let it run again',
      );
    },
  },
  {
    name: 'plans',
    look: async ({ database, config: { network } }) => {
      const [row] = await database.query(
        `SELECT count(*) AS n FROM executions WHERE chain_id = $1::bigint AND mode = 'dry-run' AND status = 'dry-run'`,
        [network.chainId],
      );
      const count = Number(row?.['n']);
      return count > 0
        ? well(`${count} plans were proved in dry-run`)
        : problem(
            'no plan was proved in dry-run',
            'wait for a falling market, or rehearse with npm run devnet: what was never planned is not tried',
          );
    },
  },
  {
    name: 'settings',
    look: ({ config: { alerts, api, rpc } }) => {
      const lacks = [
        ...(alerts.channels.length === 0 ? ['a channel of alerts'] : []),
        ...(api.keys.some(({ role }) => role === 'operator') ? [] : ['a key of an operator']),
        ...(rpc.secondOpinion ? [] : ['a second endpoint that has to agree']),
      ];
      return lacks.length === 0
        ? well('alerts, a key to halt with, and a second opinion are configured')
        : problem(`a live run lacks ${lacks.join(', ')}`, 'configure them: docs/operating.md');
    },
  },
  DRILL,
];

/** Up to the last time, back to the last long pause. */
function hoursOf(times: readonly number[]): number {
  let first = times.length - 1;
  const gap = (at: number): number => (times[at] ?? 0) - (times[at - 1] ?? 0);
  while (first > 0 && gap(first) < LONGEST_PAUSE_HOURS * HOUR_MS) first--;
  return ((times.at(-1) ?? 0) - (times[first] ?? 0)) / HOUR_MS;
}
