import { Interface } from 'ethers';
import { CHIMERA_ABI } from '../src/contract/bindings.js';
import type { Address, Hex } from '../src/domain/hex.js';
import { COLLATERAL, DEBT, MARKET } from './builders/plan.js';

/**
 * Replaces our contract. The first word of the calldata is the action, the rest is its data: 0 emits a log of
 * three topics and data, 1 reverts with the rest, 2 does nothing.
 */
export const STAND_IN_CODE: Hex =
  '0x365f5f375f5180600114602557600214602357606051604051602051608036036080a35b005b602036036020fd';

const word = (value: number): string => value.toString(16).padStart(64, '0');

export interface EventSpec {
  readonly borrower: Address;
  /** Collateral units. */
  readonly profit: bigint;
}

export function emitting({ borrower, profit }: EventSpec): Hex {
  const values = [MARKET, borrower, COLLATERAL, DEBT, 1_000n, 2_000n, COLLATERAL, profit];
  const { topics, data } = new Interface(CHIMERA_ABI).encodeEventLog('Liquidated', values);
  return `0x${word(0)}${topics.map((topic) => topic.slice(2)).join('')}${data.slice(2)}`;
}

export function reverting(error: Hex): Hex {
  return `0x${word(1)}${error.slice(2)}`;
}

export const DOING_NOTHING: Hex = `0x${word(2)}`;
