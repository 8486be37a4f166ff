/** What the times of requests tell. */
import type { Exchange } from './delayed-node.js';

export type Span = Pick<Exchange, 'atMs' | 'doneMs'>;

/** For how long at least one of them was under way. */
export function coveredMs(exchanges: readonly Span[], fromMs: number, toMs: number): number {
  let covered = 0;
  let reached = fromMs;
  for (const { atMs, doneMs } of [...exchanges].sort((a, b) => a.atMs - b.atMs)) {
    const end = Math.min(doneMs, toMs);
    covered += Math.max(0, end - Math.max(atMs, reached));
    reached = Math.max(reached, end);
  }
  return covered;
}

/** The most requests of which each was made after the one before it was answered. */
export function longestChain(exchanges: readonly Exchange[]): number {
  let count = 0;
  let reached = -Infinity;
  for (const { atMs, doneMs } of [...exchanges].sort((a, b) => a.doneMs - b.doneMs)) {
    if (atMs < reached) continue;
    count += 1;
    reached = doneMs;
  }
  return count;
}
