import type { SafetyRepository } from '../database/index.js';
import { nextSafety, type SafetyEvent } from '../domain/safety.js';
import type { Change } from './safety-journal.js';

type FailureLimits = Parameters<typeof nextSafety>[2];

/**
 * An earlier version had one safety state for all chains. What it raised and could not save holds for each of
 * them: for those that have a state, and for those that have not begun yet. The state of `repository` itself
 * is left to its owner. To repeat it changes nothing more.
 *
 * @throws RetryError when the database is away.
 */
export async function raiseForOthers(
  changes: readonly Change[],
  repository: SafetyRepository,
  limits: FailureLimits,
): Promise<void> {
  const raised = changes.filter(({ chainId, event }) => chainId === undefined && event.kind === 'raise');
  if (raised.length === 0) return;
  for (const other of await repository.others())
    for (const { event, atMs } of raised) await raise(other, event, atMs, limits);
}

async function raise(
  repository: SafetyRepository,
  event: SafetyEvent,
  atMs: number,
  limits: FailureLimits,
): Promise<void> {
  for (let isSaved = false; !isSaved;) {
    const { status, version } = await repository.load();
    const next = nextSafety(status, event, limits, atMs);
    // Another process may save in between: then once more.
    isSaved = next.concerns === status.concerns || (await repository.save(next, version)).kind !== 'stale';
  }
}
