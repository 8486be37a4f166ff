/** The state of the bot: the highest level among the concerns that stand, NORMAL without any. */
export type SafetyState = 'NORMAL' | 'THROTTLED' | 'HALTED';

export type Level = Exclude<SafetyState, 'NORMAL'>;

/**
 * What a concern is about. A concern of one cause neither hides nor ends that of another.
 *
 * - operator: a person halted.
 * - failures: malfunctions in a row.
 * - inclusion: too few of the transactions that were sent did what they should.
 * - accuracy: the profit that was won is far below what was simulated.
 * - chain: the sequencer stands still, or its time is wrong.
 * - rpc: no endpoint serves.
 * - signer: another sender uses the key.
 * - contract: our contract is paused, has another owner, or does not accept the wallet.
 * - passes: passes fail.
 * - database: it is away, slow or full.
 * - books: our picture of positions or transactions differs from the chain.
 * - bug: an error without a class.
 */
export const CAUSES = [
  ...(['operator', 'failures', 'inclusion', 'accuracy', 'chain', 'rpc', 'signer', 'contract'] as const),
  ...(['passes', 'database', 'books', 'bug'] as const),
] as const;
export type Cause = (typeof CAUSES)[number];

/** Halts that end without an operator, once all has been well for a while: outages of what is outside. */
export function endsAlone(cause: Cause): boolean {
  return cause === 'chain' || cause === 'rpc';
}

/** What a watch of the process finds again within a minute, while it lasts. */
export function isFoundAgain(cause: Cause): boolean {
  return endsAlone(cause) || cause === 'database' || cause === 'passes';
}

/** What was measured when a concern was raised, by name. */
export type Numbers = Readonly<Record<string, number | string>>;

/** Something that is wrong now. */
export interface Concern {
  readonly cause: Cause;
  readonly level: Level;
  readonly reason: string;
  /** An API key's name, or "chimera". */
  readonly actor: string;
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly numbers: Numbers;
}

export interface SafetyStatus {
  readonly state: SafetyState;
  /** Why the state is as it is: of the oldest concern of this level, or of what ended the last one. */
  readonly reason: string;
  readonly actor: string;
  /** undefined: no concern stands. */
  readonly cause: Cause | undefined;
  readonly numbers: Numbers;
  /** Since when this state lasts. Milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly consecutiveFailures: number;
  /** One for each cause at most, the oldest first. */
  readonly concerns: readonly Concern[];
  /** Outcomes before it do not count in the rates: an operator resumed. Milliseconds since the epoch. */
  readonly ratesSinceMs: number;
}

interface By {
  readonly reason: string;
  readonly actor: string;
}

export type SafetyEvent =
  | { readonly kind: 'execution-succeeded' }
  | { readonly kind: 'execution-failed'; readonly reason: string }
  /**
   * A reorg took back the outcome of an execution. `failures`: by how much that outcome had changed the
   * count.
   */
  | { readonly kind: 'outcome-taken-back'; readonly failures: number }
  | (By & {
      readonly kind: 'raise';
      readonly cause: Cause;
      readonly level: Level;
      readonly numbers?: Numbers | undefined;
    })
  /** It is well again. `endsHalt`: for so long that a halt may end by itself, where its cause allows it. */
  | { readonly kind: 'clear'; readonly cause: Cause; readonly reason: string; readonly endsHalt: boolean }
  | (By & { readonly kind: 'resume' });

const CHIMERA = 'chimera';

export const INITIAL_SAFETY: Omit<SafetyStatus, 'sinceMs'> = {
  state: 'NORMAL',
  reason: 'first start',
  actor: CHIMERA,
  cause: undefined,
  numbers: {},
  consecutiveFailures: 0,
  concerns: [],
  ratesSinceMs: 0,
};

/**
 * The safety state machine: which concerns stand after an event. The state is the highest level among them.
 *
 * - A raise never lowers the level of its cause. The first reason of a level stays.
 * - A clear ends a throttle. It ends a halt only of the chain and of the endpoints, after they were well for
 *   long enough.
 * - A resume by an operator ends all of them, and begins the rates anew.
 * - The first malfunction throttles, `maxConsecutiveFailures` in a row halt, and a success ends that
 *   throttle. An outcome that is taken back restores the count from before it.
 */
export function nextSafety(
  status: SafetyStatus,
  event: SafetyEvent,
  limits: { readonly maxConsecutiveFailures: number },
  nowMs: number,
): SafetyStatus {
  const failures = status.consecutiveFailures;
  switch (event.kind) {
    case 'raise': {
      const { cause, level, reason, actor, numbers = {} } = event;
      return raised(status, { cause, level, reason, actor, sinceMs: nowMs, numbers });
    }
    case 'clear':
      return cleared(status, event.cause, event.reason, nowMs, event.endsHalt);
    case 'resume':
      return derived({ ...status, consecutiveFailures: 0, ratesSinceMs: nowMs }, [], event, nowMs);
    case 'execution-succeeded':
      return cleared({ ...status, consecutiveFailures: 0 }, 'failures', 'an execution succeeded', nowMs);
    case 'execution-failed':
      return withFailures(status, failures + 1, event.reason, limits.maxConsecutiveFailures, nowMs);
    case 'outcome-taken-back': {
      // A resume may have cleared the count in the meantime.
      const count = Math.max(0, failures - event.failures);
      if (count === failures) return status;
      return count === 0
        ? cleared({ ...status, consecutiveFailures: 0 }, 'failures', 'a reorg took the failure back', nowMs)
        : withFailures(status, count, 'a reorg took the success after a failure back', Infinity, nowMs);
    }
  }
}

function withFailures(
  status: SafetyStatus,
  count: number,
  last: string,
  most: number,
  nowMs: number,
): SafetyStatus {
  const halts = count >= most;
  const reason = halts ? `${count} executions failed in a row, the last: ${last}` : last;
  const level: Level = halts ? 'HALTED' : 'THROTTLED';
  const numbers = { consecutiveFailures: count };
  return raised(
    { ...status, consecutiveFailures: count },
    { cause: 'failures', level, reason, actor: CHIMERA, sinceMs: nowMs, numbers },
  );
}

function raised(status: SafetyStatus, concern: Concern): SafetyStatus {
  const standing = status.concerns.find(({ cause }) => cause === concern.cause);
  if (standing && rank(standing.level) >= rank(concern.level)) return status;
  const others = status.concerns.filter((one) => one !== standing);
  return derived(status, [...others, concern], concern, concern.sinceMs);
}

function cleared(
  status: SafetyStatus,
  cause: Cause,
  reason: string,
  nowMs: number,
  endsHalt = false,
): SafetyStatus {
  const standing = status.concerns.find((one) => one.cause === cause);
  if (!standing) return status;
  if (standing.level === 'HALTED' && !(endsHalt && endsAlone(cause))) return status;
  const others = status.concerns.filter((one) => one !== standing);
  return derived(status, others, { reason, actor: CHIMERA }, nowMs);
}

/** The status of these concerns. @param by what ended the last one, when none is left. */
function derived(status: SafetyStatus, concerns: readonly Concern[], by: By, nowMs: number): SafetyStatus {
  const leading = concerns.reduce<Concern | undefined>(
    (worst, one) => (worst && rank(worst.level) >= rank(one.level) ? worst : one),
    undefined,
  );
  const state = leading?.level ?? 'NORMAL';
  const { reason, actor } = leading ?? by;
  return {
    ...status,
    state,
    reason,
    actor,
    cause: leading?.cause,
    numbers: leading?.numbers ?? {},
    sinceMs: state === status.state ? status.sinceMs : nowMs,
    concerns,
  };
}

function rank(level: Level): number {
  return level === 'HALTED' ? 2 : 1;
}
