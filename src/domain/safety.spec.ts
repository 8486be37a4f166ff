import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CAUSES,
  INITIAL_SAFETY,
  nextSafety,
  type Cause,
  type Level,
  type SafetyEvent,
  type SafetyStatus,
} from './safety.js';

const limits = { maxConsecutiveFailures: 3 };
const fresh: SafetyStatus = { ...INITIAL_SAFETY, sinceMs: 0 };
const failure: SafetyEvent = { kind: 'execution-failed', reason: 'reverted' };
const success: SafetyEvent = { kind: 'execution-succeeded' };
const raise = (cause: Cause, level: Level, reason = cause as string): SafetyEvent => ({
  ...{ kind: 'raise', cause, level, reason, actor: cause === 'operator' ? 'ops' : 'chimera' },
});
const clear = (cause: Cause, endsHalt = false): SafetyEvent => ({
  ...{ kind: 'clear', cause, reason: `${cause} is well`, endsHalt },
});
const lag = raise('chain', 'THROTTLED', 'the nodes lag');
const resume: SafetyEvent = { kind: 'resume', reason: 'looked', actor: 'ops' };
const play = (events: readonly SafetyEvent[], from = fresh): SafetyStatus =>
  events.reduce((status, event, index) => nextSafety(status, event, limits, index + 1), from);
const causesOf = ({ concerns }: SafetyStatus): Cause[] => concerns.map(({ cause }) => cause);

describe('safety state machine', () => {
  it('throttles at the first failure, halts at the third in a row, and names the last failure', () => {
    expect(play([failure]).state).toBe('THROTTLED');
    expect(play([failure, failure])).toMatchObject({ state: 'THROTTLED', consecutiveFailures: 2 });
    const halted = play([failure, failure, { kind: 'execution-failed', reason: 'MustNotLeaveDust' }]);
    expect(halted).toMatchObject({
      ...{ state: 'HALTED', cause: 'failures', consecutiveFailures: 3, sinceMs: 3 },
      numbers: { consecutiveFailures: 3 },
    });
    expect(halted.reason).toContain('MustNotLeaveDust');
  });

  it('starts counting again after a success', () => {
    expect(play([failure, failure, success, failure, failure]).state).toBe('THROTTLED');
    expect(play([failure, success])).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
  });

  it('throttles while something outside the bot is unhealthy', () => {
    expect(play([lag])).toMatchObject({ state: 'THROTTLED', reason: 'the nodes lag', actor: 'chimera' });
    expect(play([lag, raise('chain', 'THROTTLED', 'still')])).toMatchObject({
      ...{ reason: 'the nodes lag', sinceMs: 1 },
    });
    expect(play([lag, clear('chain')])).toMatchObject({
      ...{ state: 'NORMAL', reason: 'chain is well', cause: undefined, sinceMs: 2 },
    });
    expect(play([clear('chain')])).toEqual(fresh);
  });

  it('one cause that is well again ends no throttle of another', () => {
    for (const events of [
      [failure, lag, clear('chain')],
      [lag, failure, clear('chain')],
      [lag, failure, clear('database'), clear('chain')],
    ])
      expect(play(events)).toMatchObject({ state: 'THROTTLED', reason: 'reverted', cause: 'failures' });
    expect(play([lag, failure, success])).toMatchObject({ state: 'THROTTLED', cause: 'chain' });
    expect(play([lag, failure, clear('chain'), success]).state).toBe('NORMAL');
  });

  it('shows the oldest concern of the highest level, and keeps the others', () => {
    const status = play([lag, raise('books', 'HALTED'), raise('operator', 'HALTED')]);
    expect(status).toMatchObject({ state: 'HALTED', cause: 'books', actor: 'chimera', sinceMs: 2 });
    expect(causesOf(status)).toEqual(['chain', 'books', 'operator']);
  });

  it('F17 a halt of chain or endpoints ends after they were well for long enough, and no other halt', () => {
    expect(play([raise('chain', 'HALTED'), clear('chain')]).state).toBe('HALTED');
    expect(play([raise('chain', 'HALTED'), clear('chain', true)])).toMatchObject({ state: 'NORMAL' });
    expect(play([raise('rpc', 'HALTED'), clear('rpc', true)])).toMatchObject({ state: 'NORMAL' });
    const both = play([raise('chain', 'HALTED'), raise('operator', 'HALTED'), clear('chain', true)]);
    expect(both).toMatchObject({ state: 'HALTED', cause: 'operator', actor: 'ops' });
    for (const cause of CAUSES.filter((one) => one !== 'chain' && one !== 'rpc'))
      expect(play([raise(cause, 'HALTED'), clear(cause, true)])).toMatchObject({ state: 'HALTED', cause });
    expect(
      play([raise('inclusion', 'THROTTLED'), raise('chain', 'HALTED'), clear('chain', true)]),
    ).toMatchObject({
      ...{ state: 'THROTTLED', cause: 'inclusion' },
    });
  });

  it('F15 restores the earlier failures and throttle when a reorg takes back an outcome', () => {
    const takenBack = (failures: number): SafetyEvent => ({ kind: 'outcome-taken-back', failures });
    expect(play([failure, takenBack(1)])).toMatchObject({ state: 'NORMAL', consecutiveFailures: 0 });
    expect(play([failure, failure, takenBack(1)])).toMatchObject({
      state: 'THROTTLED',
      consecutiveFailures: 1,
    });
    const undone = play([failure, failure, success, takenBack(-2)]);
    expect(undone).toMatchObject({ state: 'THROTTLED', consecutiveFailures: 2 });
    expect(play([failure], undone).state).toBe('HALTED');
    // A success that cleared no failures does not change the throttle. A resume has cleared the count.
    expect(play([lag, takenBack(0)])).toMatchObject({ state: 'THROTTLED', reason: 'the nodes lag' });
    expect(play([failure, resume, takenBack(1)])).toMatchObject({ reason: 'looked', consecutiveFailures: 0 });
  });

  it('a resume ends all concerns, and the rates begin anew', () => {
    const resumed = play([raise('operator', 'HALTED'), failure, raise('accuracy', 'HALTED'), resume]);
    expect(resumed).toMatchObject({
      ...{ state: 'NORMAL', reason: 'looked', actor: 'ops', cause: undefined, concerns: [] },
      ...{ consecutiveFailures: 0, sinceMs: 4, ratesSinceMs: 4 },
    });
  });
});

describe('safety state machine, any events in any order', () => {
  const cause = fc.constantFrom(...CAUSES);
  const level = fc.constantFrom<Level>('THROTTLED', 'HALTED');
  const byTheBot = fc.oneof(
    fc.tuple(cause, level).map(([of, to]) => raise(of, to)),
    fc.tuple(cause, fc.boolean()).map(([of, ends]) => clear(of, ends)),
    fc.constantFrom(failure, success),
    fc
      .integer({ min: -3, max: 3 })
      .map((failures): SafetyEvent => ({ kind: 'outcome-taken-back', failures })),
  );
  const some = fc.array(byTheBot, { maxLength: 25 });

  it('a halt but that of an outage is left by an operator alone', () => {
    const lasting = fc.constantFrom(...CAUSES.filter((one) => one !== 'chain' && one !== 'rpc'));
    fc.assert(
      fc.property(some, lasting, some, (before, halting, after) => {
        const halted = play([...before, raise(halting, 'HALTED')]);
        const later = play(after, halted);
        expect(later.state).toBe('HALTED');
        expect(causesOf(later)).toContain(halting);
        expect(play([resume], later)).toMatchObject({ state: 'NORMAL', concerns: [] });
      }),
    );
  });

  it('the state is the highest level of the concerns, each cause stands once, and the oldest come first', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(byTheBot, fc.constant(resume)), { maxLength: 40 }), (events) => {
        const { state, cause: leading, concerns, consecutiveFailures } = play(events);
        const levels = concerns.map(({ level: of }) => of);
        const highest = levels.includes('HALTED') ? 'HALTED' : (levels[0] ?? 'NORMAL');
        expect(state).toBe(highest);
        expect(leading).toBe(concerns.find(({ level: of }) => of === state)?.cause);
        expect(new Set(concerns.map(({ cause: of }) => of)).size).toBe(concerns.length);
        expect(concerns.map(({ sinceMs }) => sinceMs)).toEqual(
          concerns.map(({ sinceMs }) => sinceMs).sort((a, b) => a - b),
        );
        expect(consecutiveFailures).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('an event that is repeated changes nothing the second time', () => {
    fc.assert(
      fc.property(some, fc.tuple(cause, level), (before, [of, to]) => {
        const once = play([...before, raise(of, to)]);
        expect(nextSafety(once, raise(of, to, 'again'), limits, 99)).toBe(once);
      }),
    );
  });
});
