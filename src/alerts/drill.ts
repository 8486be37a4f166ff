import type { Alert } from '../domain/alert.js';
import type { BotEvent } from '../domain/events/events.js';
import { EVENT_RULES, LEFT_OUT_RULE, RULE_NAMES, STATUS_RULES, type Finding } from './alert-rules.js';
import { alertOf } from './rule-watch.js';
import type { Watched } from './watched.js';

const MINUTE_MS = 60_000;

/** A bot with which everything is wrong at once: each rule that looks at a status finds something. */
const TROUBLED: Watched = {
  phase: 'running',
  phaseForMs: 10 * MINUTE_MS,
  safety: {
    state: 'HALTED',
    reason: 'an example of a reason',
    actor: 'chimera',
    consecutiveFailures: 3,
    concerns: (['contract', 'signer'] as const).map((cause) => ({
      cause,
      level: 'HALTED',
      reason: `an example of what the watch of the ${cause} finds`,
    })),
    resumesAfterSeconds: 0,
  },
  rates: {
    ...{ inclusionBps: 1_000, accuracyBps: 1_000, sample: 100, won: 10 },
    ...{ haltInclusionBps: 5_000, throttleInclusionBps: 6_000 },
    ...{ haltAccuracyBps: 8_500, throttleAccuracyBps: 9_000 },
  },
  walletWei: 1n,
  minWalletWei: 10n ** 17n,
  databaseAwayMs: MINUTE_MS,
  volume: { usedUsd8: 99_00000000n, limitUsd8: 100_00000000n },
  loss: { usedUsd8: 99_00000000n, limitUsd8: 100_00000000n },
  passes: {
    failedInARow: 5,
    failingSinceMs: MINUTE_MS,
    runningSinceMs: undefined,
    lastError: 'an example of an error',
  },
  endpoints: [{ role: 'primary', state: 'an example of a state', struggling: true }],
  setAside: [{ market: 'a-market', account: `0x${'0'.repeat(39)}1`, sinceBlock: 1 }],
  incomplete: ['a-market'],
  refused: [{ market: 'a-market', reason: 'an example of a reason' }],
  lease: { role: 'standby', holder: 'another-machine' },
  nonceInQuestion: 1,
};
/** Some rules want a bot that has not come up. */
const STARTING: Watched = { ...TROUBLED, phase: 'starting' };

const EXAMPLE_EVENTS: readonly BotEvent[] = [
  { event: 'unhandled-error', message: 'an example of an error', stack: undefined },
];

const LEFT_OUT: Alert = {
  ...{ key: LEFT_OUT_RULE, rule: LEFT_OUT_RULE, severity: 'HIGH', title: 'Messages were left out' },
  text: '7 messages were left out in a storm (7 HIGH); all of it is over',
};

/**
 * Each alert once, as its rule words it, with numbers of a bot that has every trouble. It says of itself that
 * it is a drill.
 *
 * @param drill an id: no message of a drill shares a key with one in earnest
 */
export function drillAlerts(drill: string): Alert[] {
  return RULE_NAMES.map((name) => {
    const { rule, severity, title, text } = exampleOf(name);
    return {
      ...{ key: `drill-${drill}:${name}`, rule, severity, title: `DRILL: ${title}` },
      text: `This is a drill. Nothing is wrong, and there is nothing to do. In earnest it would say, for example: ${text}`,
    };
  });
}

/** @throws TypeError for a rule that finds nothing in the examples. */
function exampleOf(name: string): Alert {
  const [ofStatus, ofEvent] = [STATUS_RULES[name], EVENT_RULES[name]];
  if (ofStatus) {
    const [finding] = [TROUBLED, STARTING].flatMap((watched) => ofStatus.find(watched));
    if (finding) return alertOf(name, ofStatus, finding);
  }
  if (ofEvent) {
    const findings = EXAMPLE_EVENTS.flatMap((event) => {
      // The table gives each name the function for its own events.
      const find = ofEvent.on[event.event] as ((event: BotEvent) => Finding | undefined) | undefined;
      return find?.(event) ?? [];
    });
    if (findings[0]) return alertOf(name, ofEvent, findings[0]);
  }
  if (name === LEFT_OUT_RULE) return LEFT_OUT;
  throw new TypeError(`the alert ${name} has no example for a drill`);
}
