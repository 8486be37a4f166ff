import type { FormKind } from './form.js';
import { poolOfLeg } from './pool-graph.js';

/** The most swaps one after the other. */
export const MOST_HOPS = 3;

/** The legs in the order of the swaps: the first one takes the collateral. */
export type Path = readonly number[];

/** What is looked for between two tokens, which are numbered as in the graph. */
export interface Search {
  readonly kind: FormKind;
  readonly collateral: number;
  readonly debt: number;
  /** Gas of one hop, in units of the profit token. */
  readonly hopCost: number;
}

/** Whether a pool stands in both. */
export function meet(a: Path, b: Path): boolean {
  for (const leg of a) for (const other of b) if (poolOfLeg(leg) === poolOfLeg(other)) return true;
  return false;
}
