/** Simulates the transactions and estimates their cost, before any is sent. */
import { Transaction } from 'ethers';
import { StartupError, messageOf } from '../../src/domain/errors.js';
import type { Block } from '../../src/domain/block.js';
import type { Address, Hex } from '../../src/domain/hex.js';
import { revertReason } from '../../src/contract/contract.js';
import { feeRead, l1FeeCall, operatorFeeCall } from '../../src/rpc/fees/gas-price-oracle.js';
import { each, readAt, together } from '../../src/rpc/chain/read.js';
import { isMethodMissing, type Node } from './node.js';

/** A transaction that is not sent yet. */
export interface Draft {
  readonly from: Address;
  readonly to: Address;
  readonly data: Hex;
  /** What it does, for messages: "setExecutor(0x…, true)". */
  readonly what: string;
}

/**
 * A transaction gets a quarter more gas than its simulation used; CREATE2 keeps 1/64 back, and nodes differ a
 * little.
 */
export const gasLimitOf = (gas: bigint): bigint => (gas * 5n) / 4n;

/** The base fee may double before a transaction is mined. Wei per gas. */
export const maxFeeOf = (baseFeeWei: bigint, priorityFeeWei: bigint): bigint =>
  2n * baseFeeWei + priorityFeeWei;

export interface Costs {
  /** Gas of each draft. */
  readonly gas: readonly bigint[];
  readonly totalGas: bigint;
  /** Wei per gas. */
  readonly baseFeeWei: bigint;
  readonly priorityFeeWei: bigint;
  /** Wei: data and operator fee of an OP-stack chain, of all together. */
  readonly l1FeeWei: bigint;
  /** Wei, all of it. */
  readonly totalWei: bigint;
}

/**
 * What the senders hold in the simulation, in wei (10,000 ETH): whether they really hold enough is checked
 * elsewhere.
 */
const LENT_WEI = 10n ** 22n;

/**
 * Runs the drafts one after the other on top of the block, without sending any.
 * @throws StartupError when one of them would revert, or the node cannot simulate.
 */
export async function rehearse(node: Node, drafts: readonly Draft[], block: Block): Promise<Costs> {
  const { baseFeePerGas: baseFeeWei } = block;
  const gas = await gasOf(node, drafts, block);
  const totalGas = gas.reduce((sum, one) => sum + one, 0n);
  const [priorityFeeWei, [dataFees, operatorFee]] = await Promise.all([
    node.priorityFee(),
    readAt(
      node.chain,
      together(
        each(drafts.map((draft) => feeRead(l1FeeCall(unsigned(node.chain.chainId, draft))))),
        feeRead(operatorFeeCall(totalGas)),
      ),
      block.hash,
    ),
  ]);
  const l1FeeWei = dataFees.reduce((sum, fee) => sum + fee, operatorFee);
  const totalWei = totalGas * (baseFeeWei + priorityFeeWei) + l1FeeWei;
  return { gas, totalGas, baseFeeWei, priorityFeeWei, l1FeeWei, totalWei };
}

async function gasOf(node: Node, drafts: readonly Draft[], block: Block): Promise<bigint[]> {
  if (drafts.length === 0) return [];
  const lent = Object.fromEntries(drafts.map(({ from }) => [from, { balance: LENT_WEI }]));
  const results = await node.chain
    .simulateV1(drafts, block.hash, { stateOverrides: lent })
    .catch((error: unknown) => {
      if (!isMethodMissing(error)) throw error;
      throw new StartupError([
        `rpc: the node cannot simulate transactions with eth_simulateV1 (${messageOf(error)})`,
      ]);
    });
  const problems = results.flatMap(({ success, returnData }, index) =>
    success ? [] : [`${drafts[index]?.what ?? ''}: would revert (${revertReason(returnData)})`],
  );
  if (problems.length > 0) throw new StartupError(problems);
  return results.map(({ gasUsed }) => gasUsed);
}

function unsigned(chainId: number, { to, data }: Draft): Hex {
  // Nonce and fees of the size of real ones: only the length counts.
  const size = { nonce: 100, gasLimit: 1_000_000n, maxFeePerGas: 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n };
  return Transaction.from({ type: 2, chainId, to, data, value: 0n, ...size }).unsignedSerialized as Hex;
}
