import { Transaction } from 'ethers';
import type { FeesBesideGas } from '../domain/costs.js';
import { messageOf, RetryError } from '../domain/errors.js';
import { toAddress, type Address, type Hash, type Hex } from '../domain/hex.js';
import { parseRevert, revertReason } from '../contract/contract.js';
import {
  blockParam,
  HEAD_NUMBER,
  parseReceipt,
  sealedAt,
  type BlockRef,
  type Receipt,
} from '../rpc/chain/chain-answers.js';
import type { ChainFees } from '../rpc/fees/chain-fees.js';
import { toBalanceWei, toData, toNonce } from '../rpc/quantities.js';
import { CallReverted, RpcAnswerError } from '../rpc/rpc-errors.js';
import type { RpcCall, RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { callObject, type CallRequest } from '../rpc/chain/simulate.js';
import { withoutSignature } from '../rpc/chain/transaction-bytes.js';
import type { Revert } from './verdict.js';

/** The operator's account and its transactions at the latest block, from one endpoint in one round trip. */
export interface AccountView {
  readonly transactionCount: number;
  readonly balanceWei: bigint;
  readonly receipts: ReadonlyMap<Hash, Receipt>;
}

/** More than any liquidation needs, and less than any node refuses to spend on an eth_call. */
const PLENTY_OF_GAS = 16_000_000n;

/** What following a transaction asks the chain. */
export class ChainReads {
  constructor(
    private readonly pool: RpcPool,
    private readonly fees: ChainFees,
  ) {}

  /** @throws RetryError when the chain could not be asked. */
  async account(sender: Address, hashes: readonly Hash[]): Promise<AccountView> {
    const countCall = { method: 'eth_getTransactionCount', params: [sender, 'latest'], parse: toNonce };
    const balanceCall = { method: 'eth_getBalance', params: [sender, 'latest'], parse: toBalanceWei };
    // Only a receipt needs the number of the head, and each call of a batch counts.
    if (hashes.length === 0) {
      const [count, balance] = await this.pool.batch([countCall, balanceCall]);
      return { transactionCount: answered(count), balanceWei: answered(balance), receipts: new Map() };
    }
    const receiptCalls = hashes.map((hash): RpcCall<Receipt | undefined> => ({
      method: 'eth_getTransactionReceipt',
      params: [hash],
      parse: (raw) => parseReceipt(raw, hash),
    }));
    const [count, balance, head, ...receipts] = await this.pool.batch([
      countCall,
      balanceCall,
      HEAD_NUMBER,
      ...receiptCalls,
    ]);
    return {
      transactionCount: answered(count),
      balanceWei: answered(balance),
      receipts: new Map(
        receipts.flatMap((answer) => {
          const receipt = sealedAt(answered(head), answered(answer));
          return receipt ? [[receipt.transactionHash, receipt] as const] : [];
        }),
      ),
    };
  }

  /**
   * What a mined transaction paid beside its gas, by the fee model of the chain at the block of the receipt.
   *
   * @throws RetryError when the chain could not be asked.
   */
  async feesPaid(receipt: Receipt, raw: Hex): Promise<FeesBesideGas> {
    const { calls, decode } = this.feesRead(receipt, raw);
    const answers = await this.pool.batch(calls);
    try {
      return decode(answers);
    } catch (error) {
      throw error instanceof RetryError ? error : new RetryError(messageOf(error), { cause: error });
    }
  }

  /** As {@link feesPaid}, as each endpoint that answered says, by the transactions' hashes. Never throws. */
  async feesPaidEverywhere(
    mined: readonly { readonly receipt: Receipt; readonly raw: Hex }[],
  ): Promise<ReadonlyMap<Hash, readonly FeesBesideGas[]>> {
    const reads = mined.map(({ receipt, raw }) => this.feesRead(receipt, raw));
    const answers = await this.pool.batchEach(
      reads.flatMap(({ calls }) => calls),
      (all) => {
        let from = 0;
        return reads.map(({ calls, decode }) => {
          const own = all.slice(from, (from += calls.length));
          return valuesOf(() => decode(own));
        });
      },
    );
    const heard = answers.flatMap((answer) => (answer.error === undefined ? [answer.value] : []));
    return new Map(
      mined.map(({ receipt }, index) => [
        receipt.transactionHash,
        heard.flatMap((fees) => fees[index] ?? []),
      ]),
    );
  }

  private feesRead(
    receipt: Receipt,
    raw: Hex,
  ): {
    readonly calls: readonly RpcCall<Hex>[];
    readonly decode: (answers: readonly (Hex | RpcAnswerError)[]) => FeesBesideGas;
  } {
    const unsigned = (): Hex => withoutSignature(raw);
    const { calls, decode } = this.fees.paid(receipt, unsigned);
    return {
      calls: calls.map((call) => callAt(call, receipt.blockHash)),
      decode: (answers) =>
        decode(
          answers.map((answer) =>
            answer instanceof CallReverted
              ? { success: false, data: answer.data }
              : { success: true, data: answered(answer) },
          ),
        ),
    };
  }

  /**
   * Why a mined transaction reverted. Its call is made again on the state before its block. If it succeeds
   * there, it is made on the state after the block: another liquidator was first, or the deadline was over.
   * Never throws.
   */
  async revertOf(receipt: Receipt, raw: Hex): Promise<Revert> {
    const { to, data, gasLimit } = Transaction.from(raw);
    if (receipt.gasUsed >= gasLimit) return { kind: 'out-of-gas' };
    if (to === null) return { kind: 'unread', reason: 'reverted' };
    const call: CallRequest = {
      from: receipt.from,
      to: toAddress(to),
      data: `0x${data.slice(2)}`,
      gas: gasLimit,
    };
    try {
      const blocks = [receipt.blockNumber - 1, receipt.blockNumber];
      const answers = await this.pool.batch(blocks.map((block) => callAt(call, block)));
      const index = answers.findIndex((answer) => answer instanceof CallReverted);
      const [revert, block] = [answers[index], blocks[index]];
      if (!(revert instanceof CallReverted) || block === undefined) return { kind: 'within-block' };
      if (revert.data === '0x' && (await this.needsMoreGas(call, block))) return { kind: 'out-of-gas' };
      const reason = revert.data === '0x' ? revert.reason : revertReason(revert.data);
      return { kind: 'error', error: parseRevert(revert.data), reason };
    } catch (error) {
      const reason = `reverted; the reason could not be read (${messageOf(error)})`;
      return { kind: 'unread', reason };
    }
  }

  /**
   * Whether a call that reverted without a word does something else with plenty of gas. A called contract
   * that runs out of gas leaves its caller a 64th, with which the caller reverts.
   */
  private async needsMoreGas(call: CallRequest, block: number): Promise<boolean> {
    const [answer] = await this.pool.batch([callAt({ ...call, gas: PLENTY_OF_GAS }, block)]);
    return answer instanceof CallReverted ? answer.data !== '0x' : !(answer instanceof RpcAnswerError);
  }
}

function callAt(call: CallRequest, block: BlockRef): RpcCall<Hex> {
  return { method: 'eth_call', params: [callObject(call), blockParam(block)], parse: toData };
}

/** Nothing where the node did not answer it. */
function valuesOf<T>(read: () => T): T[] {
  try {
    return [read()];
  } catch (error) {
    if (error instanceof RetryError) return [];
    throw error;
  }
}

function answered<T>(answer: T | RpcAnswerError): T {
  if (answer instanceof RpcAnswerError) throw new RetryError(answer.message);
  return answer;
}
