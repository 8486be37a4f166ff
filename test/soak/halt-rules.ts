/** Which halts are right: each by the rule that names it, and by a fault that explains it. */
import type { Halt } from '../e2e/invariants.js';
import type { FaultName } from './schedule.js';

interface HaltRule {
  /** As docs/faults.md names it. */
  readonly rule: string;
  readonly reason: RegExp;
  readonly faults: readonly FaultName[];
}

const NODES_AWAY: readonly FaultName[] = ['all-nodes-away', 'black-hole', 'http-502', 'http-429'];

export const HALT_RULES: readonly HaltRule[] = [
  {
    rule: 'F08, F17: the newest block is too old',
    reason: /^the newest block, \d+, is [\d.]+ s old/,
    faults: ['chain-stands-still', 'stale-node', ...NODES_AWAY],
  },
  {
    rule: 'F53: no pass for 30 s',
    reason: /^no pass has succeeded for/,
    faults: [...NODES_AWAY, 'database-away', 'database-silent', 'chain-stands-still'],
  },
  {
    rule: 'F11: a gap that stays open',
    reason: /^the gap between block/,
    faults: [...NODES_AWAY, 'lie-of-any-kind'],
  },
];

/** A fault that is over explains a halt for so long: the clocks of the rules run for 30 s. */
const LATEST_MS = 45_000;

/** A fault as it really was. */
export interface PlayedFault {
  readonly name: FaultName;
  readonly fromMs: number;
  /** Undefined while it lasts. */
  toMs: number | undefined;
}

/** The rule and the fault that explain a halt of the bot's own; undefined when none does. */
export function explanationOf(
  halt: Pick<Halt, 'reason' | 'fromMs'>,
  faults: readonly PlayedFault[],
): { readonly rule: string; readonly fault: PlayedFault } | undefined {
  const rule = HALT_RULES.find(({ reason }) => reason.test(halt.reason));
  const fault = faults.findLast(
    ({ name, fromMs, toMs }) =>
      rule?.faults.includes(name) && fromMs <= halt.fromMs && (toMs ?? Infinity) + LATEST_MS >= halt.fromMs,
  );
  return rule && fault && { rule: rule.rule, fault };
}
