import type { PlanDecision } from '../src/domain/decision.js';

/** All decisions of a planner, whatever lists they come in. */
export async function decisionsOf(lists: AsyncIterable<readonly PlanDecision[]>): Promise<PlanDecision[]> {
  const all: PlanDecision[] = [];
  for await (const decisions of lists) all.push(...decisions);
  return all;
}

/** Decisions as a planner gives them. */
export async function* inLists(
  lists: readonly (readonly PlanDecision[])[],
): AsyncGenerator<readonly PlanDecision[], void, undefined> {
  for (const list of lists) yield Promise.resolve(list);
}
