import { RetryError, SkipError } from '../domain/errors.js';
import type { SafetyStatus } from '../domain/safety.js';

/** The person who calls the API, as the audit trail names them. */
export interface Operator {
  readonly name: string;
  readonly role: string;
  /** Where the request came from. */
  readonly address: string;
}

/** A resume met another change of the state: a person has to look before the next one. */
export class StateConflict extends RetryError {}

/** A person must give a reason. @throws SkipError */
export function reasonOf(action: string, reason: string): string {
  const text = reason.trim();
  if (text !== '') return text;
  throw new SkipError(`A reason is needed to ${action} the bot.`);
}

/** What a person has to see before they resume. Two states differ in it when something else is wrong. */
export function seenIn({ state, concerns }: Pick<SafetyStatus, 'state' | 'concerns'>): string {
  return JSON.stringify([state, concerns.map(({ cause, level, sinceMs }) => [cause, level, sinceMs])]);
}
