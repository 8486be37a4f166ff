import type { Address } from './hex.js';

/** Which contract says what a transaction costs beside its L2 gas. */
export type FeeModel = 'op-stack';

/** What the bot has to know of a chain before it reads anything from it. */
export interface ChainDescription {
  /** Milliseconds from one block to the next, as the chain is meant to run. */
  readonly blockTimeMs: number;
  /** Gas that one transaction may use at most. */
  readonly maxGasPerTransaction: bigint;
  readonly feeModel: FeeModel;
  /** The ERC-20 token that wraps the native token, by which lending markets price it. */
  readonly wrappedNative: Address;
}

/** EIP-7825, in force on Ethereum and on the OP stack. */
const EIP_7825_GAS_CAP = 16_777_216n;

/** A chain without an entry of its own gets the values of an OP-stack chain as it is deployed. */
const OP_STACK: ChainDescription = {
  blockTimeMs: 2_000,
  maxGasPerTransaction: EIP_7825_GAS_CAP,
  feeModel: 'op-stack',
  wrappedNative: '0x4200000000000000000000000000000000000006',
};

const BY_CHAIN_ID: ReadonlyMap<number, ChainDescription> = new Map([
  // Base makes a block every 200 ms since its "Denim" upgrade of November 2026.
  [8453, { ...OP_STACK, blockTimeMs: 200 }],
]);

export function chainDescription(chainId: number): ChainDescription {
  return BY_CHAIN_ID.get(chainId) ?? OP_STACK;
}

/**
 * Windows of time that the bot counts in blocks, in seconds. Use {@link windowBlocks} to get the blocks of a
 * chain.
 *
 * - `reorg`: how far back a reorg can be followed. Positions, prices, settlements and the logs that were
 *   heard are kept for so long. A deeper reorg halts the bot.
 * - `lateNode`: how far a healthy node may be behind another one.
 * - `blockByBlock`: a longer gap is not walked block by block; its logs are read by ranges.
 */
export const WINDOWS_SECONDS = { reorg: 256, lateNode: 128, blockByBlock: 1_024 } as const;

/** Blocks before the head whose states every full node still serves: Geth keeps 128. */
export const BLOCKS_WITH_STATE = 64;

/** The blocks that a chain makes in so many seconds, rounded up: at least one. */
export function secondsInBlocks(
  seconds: number,
  { blockTimeMs }: Pick<ChainDescription, 'blockTimeMs'>,
): number {
  return Math.max(1, Math.ceil((seconds * 1_000) / blockTimeMs));
}

/** The blocks that a chain makes in a window of {@link WINDOWS_SECONDS}, rounded up. */
export function windowBlocks(
  window: keyof typeof WINDOWS_SECONDS,
  { blockTimeMs }: Pick<ChainDescription, 'blockTimeMs'>,
): number {
  return Math.max(BLOCKS_WITH_STATE, secondsInBlocks(WINDOWS_SECONDS[window], { blockTimeMs }));
}
