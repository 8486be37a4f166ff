import type { Draft } from './drafts.js';

/**
 * What a draft may burn in its simulation. A flash-swap liquidation with two debts took less than 0.7M. With
 * a bound for each, a token or a pool that burns all it gets takes nothing from the drafts after it.
 */
export const GAS_OF_DRAFT = 2_500_000n;
/** By default nodes spend 50M on one question, whatever it holds: `rpc.gascap` of geth, reth and erigon. */
const GAS_OF_QUESTION = 48_000_000n;
/** So many questions are answered within the time for a proof. */
const MOST_GROUPS = 4;

/** Drafts that are simulated one on top of the other, on top of what is pending. */
export type ProofGroup = readonly Draft[];

/**
 * As many groups as are asked at once, in the order of the drafts.
 *
 * @param pendingGas the gas limits of what is pending, together.
 * @returns what is beyond the last group as `left`.
 */
export function inGroups(
  drafts: readonly Draft[],
  pendingGas: bigint,
): { readonly groups: readonly ProofGroup[]; readonly left: readonly Draft[] } {
  const room = (GAS_OF_QUESTION - pendingGas) / GAS_OF_DRAFT;
  const size = room < 1n ? 1 : Number(room);
  const groups: ProofGroup[] = [];
  for (let from = 0; from < drafts.length && groups.length < MOST_GROUPS; from += size)
    groups.push(drafts.slice(from, from + size));
  return { groups, left: drafts.slice(groups.length * size) };
}
