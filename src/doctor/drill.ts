import { RULE_NAMES } from '../alerts/alert-rules.js';
import { DrillsRepository } from '../database/index.js';
import type { DatabaseAt } from './database.js';
import { problem, well, type Check } from './finding.js';

/** A drill that is older says little about the channels of today. */
export const DRILL_DAYS = 30;
const CURE = 'run npx chimera alerts test --each, and see that each message has arrived: docs/handbook.md';

/** Each alert has gone through each channel of today, not long ago. */
export const DRILL: Check<DatabaseAt> = {
  name: 'alert drill',
  look: async ({ database, config: { network, alerts } }) => {
    const { channels } = alerts;
    if (channels.length === 0)
      return problem(
        'no alert can be fired in a drill: no channel is configured',
        'add one to alerts.channels: docs/alerts.md',
      );
    const newest = await new DrillsRepository(database, network.chainId).newest(DRILL_DAYS);
    const lacking = channels.flatMap(({ name, kind }) =>
      RULE_NAMES.flatMap((rule) => {
        const last = newest.find((one) => one.rule === rule && one.channel === name && one.kind === kind);
        return last?.refusal === null ? [] : [{ rule, name, refusal: last?.refusal }];
      }),
    );
    const [first] = lacking;
    if (!first)
      return well(
        `each of the ${RULE_NAMES.length} alerts was fired in a drill in the last ${DRILL_DAYS} days, and each channel accepted it`,
      );
    if (newest.length === 0)
      return problem(`no alert was fired in a drill in the last ${DRILL_DAYS} days`, CURE);
    const rules = new Set(lacking.map(({ rule }) => rule)).size;
    const why = first.refusal === undefined ? 'it was not fired' : `not accepted, ${first.refusal}`;
    return problem(
      `of ${RULE_NAMES.length} alerts ${rules} lack a drill of the last ${DRILL_DAYS} days that each channel accepted; the first is ${first.rule} through ${first.name}: ${why}`,
      CURE,
    );
  },
};
