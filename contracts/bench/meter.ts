/**
 * Sends real transactions and reads what they cost. Each starts with cold storage, as on a live chain
 * (EIP-2929).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Transaction } from 'ethers';
import type { Devnet } from '../../devnet/index.js';
import type { Hex } from '../../src/domain/hex.js';
import { revertReason } from '../../src/contract/contract.js';

export interface Request {
  readonly from: string;
  readonly to: string;
  readonly data: Hex;
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
   * What a transaction costs in the present state, which does not change.
   * @throws Error with the reason when it reverts
   */
  async measure(...requests: readonly Request[]): Promise<Cost[]> {
    const before = await this.devnet.snapshot();
    try {
      const costs: Cost[] = [];
      for (const request of requests) costs.push(await this.send(request));
      return costs;
    } finally {
      await this.devnet.revert(before);
    }
  }

  /** Sends one transaction, which changes the state. @throws Error with the reason when it reverts */
  async send(request: Request): Promise<Cost> {
    const gas = `0x${GAS_LIMIT.toString(16)}`;
    const hash = await this.devnet.rpc('eth_sendTransaction', [{ ...request, gas }]);
    const receipt = await this.receipt(hash);
    if (receipt.status !== '0x1') throw new Error(await this.reason(request));
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

  private async reason(request: Request): Promise<string> {
    try {
      await this.devnet.rpc('eth_call', [request, 'latest']);
      return 'the transaction reverted, but a call like it does not';
    } catch (error) {
      const data = error instanceof Error && 'data' in error ? error.data : undefined;
      return typeof data === 'string' ? revertReason(data as Hex) : String(error);
    }
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
