import type { EventNamed } from '../domain/events/events.js';
import type { SafetyStatus } from '../domain/safety.js';

/** What a change of the safety state tells: each concern that came or went, then the state if it is new. */
export function safetyNews(
  before: SafetyStatus,
  now: SafetyStatus,
): readonly EventNamed<'concern' | 'safety-changed'>[] {
  const isIn = ({ concerns }: SafetyStatus, { cause, level }: SafetyStatus['concerns'][number]): boolean =>
    concerns.some((one) => one.cause === cause && one.level === level);
  const concern = (
    change: 'raised' | 'cleared',
    { cause, level, reason, numbers }: SafetyStatus['concerns'][number],
  ): EventNamed<'concern'> => ({ event: 'concern', change, cause, state: level, reason, numbers });
  const { state: to, reason, actor, cause, numbers } = now;
  const from = before.state;
  return [
    ...before.concerns.filter((one) => !isIn(now, one)).map((one) => concern('cleared', one)),
    ...now.concerns.filter((one) => !isIn(before, one)).map((one) => concern('raised', one)),
    ...(from === to ? [] : [{ event: 'safety-changed' as const, from, to, reason, actor, cause, numbers }]),
  ];
}
