/**
 * Sends real transactions and reads what they cost. Each starts with cold storage, as on a live chain
 * (EIP-2929).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Transaction } from 'ethers';
import type { Devnet } from '../../devnet/index.js';
import type { Hex } from '../../src/domain/hex.js';
import { parseRevert, revertReason, type RevertName } from '../../src/contract/contract.js';

export interface Request {
  readonly from: string;
  readonly to: string;
  readonly data: Hex;
  /** The error that it must revert with. Without it, it must succeed. */
  readonly error?: RevertName;
}

export interface Cost {
  /** Gas of the whole transaction, refunds taken off. */
  readonly gas: number;
  readonly calldataBytes: number;
  /** Fee for the calldata on the chain below, by GasPriceOracle.getL1Fee of the unsigned transaction. Wei. */
  readonly l1FeeWei: bigint;
}

/** Base's cap for one transaction. */
const GAS_LIMIT = 16_777_216;
const MINED_WITHIN_MS = 10_000;

export class Meter {
  constructor(private readonly devnet: Devnet) {}

  /**
   * What transactions cost, one after the other, in the present state, which does not change.
   * @param first sent before them, and not counted
   * @throws Error with the reason when one does not end as it should
   */
  async measure(requests: readonly Request[], first: readonly Request[] = []): Promise<Cost[]> {
    const before = await this.devnet.snapshot();
    try {
      for (const request of first) await this.send(request);
      const costs: Cost[] = [];
      for (const request of requests) costs.push(await this.send(request));
      return costs;
    } finally {
      await this.devnet.revert(before);
    }
  }

  /**
   * Sends one transaction, which changes the state.
   * @throws Error with the reason when it does not end as it should
   */
  async send(request: Request): Promise<Cost> {
    const { from, to, data, error } = request;
    const gas = `0x${GAS_LIMIT.toString(16)}`;
    const hash = await this.devnet.rpc('eth_sendTransaction', [{ from, to, data, gas }]);
    const receipt = await this.receipt(hash);
    if (receipt.status !== '0x1') await this.expectRevert(request);
    else if (error !== undefined) throw new Error(`it succeeded; ${error} was expected`);
    return {
      gas: Number(receipt.gasUsed),
      calldataBytes: (request.data.length - 2) / 2,
      l1FeeWei: await this.l1Fee(request),
    };
  }

  private async receipt(hash: unknown): Promise<{ status: string; gasUsed: string }> {
    const until = Date.now() + MINED_WITHIN_MS;
    while (Date.now() < until) {
      const receipt = await this.devnet.rpc('eth_getTransactionReceipt', [hash]);
      if (receipt) return receipt as { status: string; gasUsed: string };
      await sleep(2);
    }
    throw new Error(`a transaction was not mined within ${MINED_WITHIN_MS} ms`);
  }

  /** @throws Error with the reason of the revert, unless it is the expected one */
  private async expectRevert({ from, to, data, error: expected }: Request): Promise<void> {
    try {
      await this.devnet.rpc('eth_call', [{ from, to, data }, 'latest']);
    } catch (error) {
      const answer = error instanceof Error && 'data' in error ? error.data : undefined;
      if (typeof answer !== 'string') throw error;
      const revert = parseRevert(answer as Hex);
      if (revert.kind === 'known' && revert.name === expected) return;
      throw new Error(revertReason(answer as Hex), { cause: error });
    }
    throw new Error('the transaction reverted, but a call like it does not');
  }

  private async l1Fee({ to, data }: Request): Promise<bigint> {
    const unsigned = Transaction.from({
      type: 2,
      chainId: this.devnet.chainId,
      to,
      data,
      nonce: 1_000_000,
      gasLimit: GAS_LIMIT,
      maxFeePerGas: 10n ** 9n,
      maxPriorityFeePerGas: 10n ** 9n,
    }).unsignedSerialized;
    return (await this.devnet.contracts.gasPriceOracle.getFunction('getL1Fee')(unsigned)) as bigint;
  }
}
