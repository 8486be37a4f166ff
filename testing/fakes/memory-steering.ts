import type { NewOperatorAction, SafetyRepository } from '../../src/database/index.js';
import type { Setting } from '../../src/domain/steering.js';

/** Keeps what operators set, as the database would. */
export function memorySteering(
  actions: NewOperatorAction[],
  ask: () => Promise<unknown>,
): Pick<SafetyRepository, 'settings' | 'set' | 'unset'> {
  let kept: Setting[] = [];
  const without = (kind: string, name: string): Setting[] =>
    kept.filter((one) => one.kind !== kind || one.name !== name);
  return {
    settings: () => Promise.resolve(kept),
    set: async ({ kind, name, valueUsd8, ...by }, action) => {
      await ask();
      // The repository reads it back from text.
      const value = valueUsd8 === null ? {} : { valueUsd8 };
      kept = [...without(kind, name), { kind, name, ...value, ...by } as Setting];
      actions.push(action);
    },
    unset: async ({ kind, name }, action) => {
      await ask();
      kept = without(kind, name);
      actions.push(action);
    },
  };
}
