/** Which halts are right: each by the rule that names it, and by a fault that explains it. */
import type { Cause } from '../../src/domain/safety.js';
import type { Halt } from '../e2e/invariants.js';
import type { FaultName } from './schedule.js';

interface HaltRule {
  /** As docs/architecture.md and docs/faults.md name it. */
  readonly rule: string;
  readonly cause: Cause;
  readonly reason: RegExp;
  readonly faults: readonly FaultName[];
  /** A fault that is over explains the halt for so long. */
  readonly latestMs?: number;
}

/** The clocks of the rules run for 30 s. */
const LATEST_MS = 45_000;

const NODES_AWAY: readonly FaultName[] = [
  'all-nodes-away',
  'black-hole',
  'http-502',
  'http-429',
  'slow-node',
];
const NODES_LIE: readonly FaultName[] = ['lying-call', 'lying-simulation', 'lie-of-any-kind'];
const DATABASE: readonly FaultName[] = [
  ...(['database-away', 'database-silent', 'database-slow', 'database-restart'] as const),
];

export const HALT_RULES: readonly HaltRule[] = [
  {
    rule: 'F08, F17: the newest block is too old',
    cause: 'chain',
    reason: /^the newest block, \d+, is [\d.]+ s old/,
    faults: ['chain-stands-still', 'stale-node', ...NODES_AWAY],
  },
  {
    rule: 'F17: the time of the chain jumps',
    cause: 'chain',
    reason: /^the time of the chain/,
    faults: ['chain-stands-still', 'reorg', 'lie-of-any-kind'],
  },
  {
    rule: 'no endpoint serves for 30 s',
    cause: 'rpc',
    reason: /^no pass has succeeded for/,
    faults: NODES_AWAY,
  },
  {
    rule: 'F11: a gap stays open for 30 s',
    cause: 'rpc',
    reason: /^the gap between block/,
    faults: [...NODES_AWAY, ...NODES_LIE],
  },
  {
    rule: 'F53: no pass for 30 s, or ten in a row fail',
    cause: 'passes',
    reason: /^no pass has succeeded for|passes failed in a row/,
    faults: [
      ...[...NODES_AWAY, ...NODES_LIE, ...DATABASE],
      ...(['chain-stands-still', 'truncated-answers', 'garbage-answers', 'stale-node'] as const),
    ],
  },
  {
    rule: 'inclusion: too little of what was sent did what it should',
    cause: 'inclusion',
    reason: /of the last \d+ transactions/,
    // What comes late is stale.
    faults: [
      ...[...NODES_AWAY, ...DATABASE],
      ...(['transactions-kept', 'reorg', 'chain-stands-still', 'process-frozen', 'stale-node'] as const),
    ],
    latestMs: Infinity,
  },
];

/** A fault as it really was. */
export interface PlayedFault {
  readonly name: FaultName;
  readonly fromMs: number;
  /** Undefined while it lasts. */
  toMs: number | undefined;
}

/** The rule and the fault that explain a halt of the bot's own; undefined when none does. */
export function explanationOf(
  halt: Pick<Halt, 'cause' | 'reason' | 'fromMs'>,
  faults: readonly PlayedFault[],
): { readonly rule: string; readonly fault: PlayedFault } | undefined {
  for (const { rule, cause, reason, faults: names, latestMs = LATEST_MS } of HALT_RULES) {
    if (cause !== halt.cause || !reason.test(halt.reason)) continue;
    const fault = faults.findLast(
      ({ name, fromMs, toMs }) =>
        names.includes(name) && fromMs <= halt.fromMs && (toMs ?? Infinity) + latestMs >= halt.fromMs,
    );
    if (fault) return { rule, fault };
  }
  return undefined;
}
