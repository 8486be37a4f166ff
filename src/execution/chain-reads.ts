import { Transaction } from 'ethers';
import { messageOf, RetryError } from '../domain/errors.js';
import { toAddress, type Address, type Hash, type Hex } from '../domain/hex.js';
import { revertReason } from '../contract/contract.js';
import { blockParam, parseReceipt, type BlockRef, type Receipt } from '../rpc/chain/chain-answers.js';
import { l1FeeCall, operatorFeeCall } from '../rpc/fees/gas-price-oracle.js';
import { toBigInt, toData, toNumber } from '../rpc/quantities.js';
import { CallReverted, RpcAnswerError } from '../rpc/rpc-errors.js';
import type { RpcCall, RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { callObject, type CallRequest } from '../rpc/chain/simulate.js';
import type { ChainFees } from './settlement.js';

/** The operator's account and its transactions at the latest block, from one endpoint in one round trip. */
export interface AccountView {
  readonly transactionCount: number;
  readonly balanceWei: bigint;
  readonly receipts: ReadonlyMap<Hash, Receipt>;
}

/** @throws RetryError when the chain could not be asked. */
export async function viewAccount(
  pool: RpcPool,
  sender: Address,
  hashes: readonly Hash[],
): Promise<AccountView> {
  const receiptCalls = hashes.map((hash): RpcCall<Receipt | undefined> => ({
    method: 'eth_getTransactionReceipt',
    params: [hash],
    parse: (raw) => parseReceipt(raw, hash),
  }));
  const [count, balance, ...receipts] = await pool.batch([
    { method: 'eth_getTransactionCount', params: [sender, 'latest'], parse: toNumber },
    { method: 'eth_getBalance', params: [sender, 'latest'], parse: toBigInt },
    ...receiptCalls,
  ]);
  return {
    transactionCount: answered(count),
    balanceWei: answered(balance),
    receipts: new Map(
      receipts.flatMap((answer) => {
        const receipt = answered(answer);
        return receipt ? [[receipt.transactionHash, receipt] as const] : [];
      }),
    ),
  };
}

/**
 * What a mined transaction paid beside its gas. The receipt's own l1Fee where the node gives it; else, and for the
 * operator fee, what the GasPriceOracle says at the receipt's block (getL1Fee takes the unsigned transaction).
 *
 * @throws RetryError when the chain could not be asked.
 */
export async function chainFees(pool: RpcPool, receipt: Receipt, raw: Hex): Promise<ChainFees> {
  const unsigned: Hex = `0x${Transaction.from(raw).unsignedSerialized.slice(2)}`;
  const [l1Fee, operatorFee] = await pool.batch([
    callAt(l1FeeCall(unsigned), receipt.blockHash),
    callAt(operatorFeeCall(receipt.gasUsed), receipt.blockHash),
  ]);
  return { l1Fee: receipt.l1Fee ?? feeOf(l1Fee), operatorFee: feeOf(operatorFee) };
}

/**
 * Why a mined transaction reverted. Its call is made again on the state before its block. If it succeeds
 * there, it is made on the state after the block: another liquidator was first, or the deadline was over.
 * Never throws: the reason is for people.
 */
export async function reasonOfRevert(pool: RpcPool, receipt: Receipt, raw: Hex): Promise<string> {
  const { to, data, gasLimit } = Transaction.from(raw);
  if (receipt.gasUsed >= gasLimit) return 'out of gas';
  if (to === null) return 'reverted';
  const call: CallRequest = {
    from: receipt.from,
    to: toAddress(to),
    data: `0x${data.slice(2)}`,
    gas: gasLimit,
  };
  try {
    const answers = await pool.batch([
      callAt(call, receipt.blockNumber - 1),
      callAt(call, receipt.blockNumber),
    ]);
    const revert = answers.find((answer) => answer instanceof CallReverted);
    if (!revert) return 'reverted by something that happened within its block';
    return revert.data === '0x' ? revert.reason : revertReason(revert.data);
  } catch (error) {
    return `reverted; the reason could not be read (${messageOf(error)})`;
  }
}

function callAt(call: CallRequest, block: BlockRef): RpcCall<Hex> {
  return { method: 'eth_call', params: [callObject(call), blockParam(block)], parse: toData };
}

/** A revert is the oracle of a chain that does not have this fee yet. @throws RetryError for any other refusal. */
function feeOf(answer: Hex | RpcAnswerError): bigint {
  if (answer instanceof CallReverted) return 0n;
  const data = answered(answer);
  return data === '0x' ? 0n : BigInt(data);
}

function answered<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw new RetryError(answer.message);
  return answer;
}
