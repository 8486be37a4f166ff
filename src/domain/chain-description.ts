import type { Address } from './hex.js';

/** Which rules say what a transaction costs beside its L2 gas: src/rpc/fees/. */
export type FeeModel = 'op-stack' | 'gas-only' | 'arbitrum';

/** What the bot has to know of a chain before it reads anything from it. */
export interface ChainDescription {
  /** Milliseconds from one block to the next, until heads have told: {@link BlockTime}. */
  readonly blockTimeMs: number;
  /** Gas that one transaction may use at most. */
  readonly maxGasPerTransaction: bigint;
  /** Gas limit of a transfer of nothing. What is not used is not paid. */
  readonly transferGas: bigint;
  readonly feeModel: FeeModel;
  /** Whether a higher priority fee brings a better place. Where it does not, nothing is bid. */
  readonly ordersByTip: boolean;
  /** Whether the mempool is public: a rival can see a transaction before it is in a block, and copy it. */
  readonly publicMempool: boolean;
  /** The ERC-20 token that wraps the native token, by which lending markets price it. */
  readonly wrappedNative: Address;
}

/** EIP-7825, in force on Ethereum and on the OP stack. */
const EIP_7825_GAS_CAP = 16_777_216n;
const TRANSFER_GAS = 21_000n;

/**
 * A chain without an entry of its own gets the values of an OP-stack chain as it is deployed. It has no
 * public mempool.
 */
const OP_STACK: ChainDescription = {
  blockTimeMs: 2_000,
  maxGasPerTransaction: EIP_7825_GAS_CAP,
  transferGas: TRANSFER_GAS,
  feeModel: 'op-stack',
  ordersByTip: true,
  publicMempool: false,
  wrappedNative: '0x4200000000000000000000000000000000000006',
};

const ETHEREUM: ChainDescription = {
  blockTimeMs: 12_000,
  maxGasPerTransaction: EIP_7825_GAS_CAP,
  transferGas: TRANSFER_GAS,
  feeModel: 'gas-only',
  ordersByTip: true,
  publicMempool: true,
  wrappedNative: '0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2',
};

const ARBITRUM_ONE: ChainDescription = {
  blockTimeMs: 250,
  // EIP-7825 is not in force. Since ArbOS 50 a transaction computes at most so much (nitro arbos/l2pricing:
  // InitialPerTxGasLimitV50). Gas for data on L1 comes on top, and gas beyond both is refunded.
  maxGasPerTransaction: 32_000_000n,
  // Gas for L1 data is inside (nitro TxProcessor.GasChargingHook): a transfer needs more when L1 is dear.
  transferGas: 1_000_000n,
  feeModel: 'arbitrum',
  // The sequencer takes what comes first, and lowers the price of gas to the base fee (nitro: DropTip).
  ordersByTip: false,
  publicMempool: false,
  wrappedNative: '0x82af49447d8a07e3bd95bd0d56f35241523fbab1',
};

const BY_CHAIN_ID: ReadonlyMap<number, ChainDescription> = new Map([
  [1, ETHEREUM],
  [10, OP_STACK],
  // Base makes a block every 200 ms since its "Denim" upgrade of November 2026.
  [8453, { ...OP_STACK, blockTimeMs: 200 }],
  [42161, ARBITRUM_ONE],
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
