import type { Devnet } from '../devnet/index.js';
import { eventually } from './eventually.js';
import { send } from './send.js';

const LARGE = 10n ** 24n;
/** A liquidation by the market itself takes less than half of it. */
const GAS = 700_000n;

/** A liquidation of one borrower, as the chain has it. */
export interface WonRace {
  readonly borrower: string;
  /** Who sent it. */
  readonly winner: string;
  readonly block: number;
  /** Wei per gas, above the base fee. */
  readonly tipPerGasWei: bigint;
  readonly gasUsed: bigint;
}

/**
 * Another liquidator, with its own funds and a tip that is always the same. The local chain orders a block
 * by `maxFeePerGas`. Its own allows, as the bot's does, for twice the base fee: so the order is that of tips.
 */
export class FixedTipRival {
  private constructor(
    private readonly devnet: Devnet,
    readonly account: string,
    readonly tipPerGasWei: bigint,
  ) {}

  static async of(devnet: Devnet, tipPerGasWei: bigint): Promise<FixedTipRival> {
    const account = devnet.accounts.supplier;
    await send(devnet, account, devnet.token('USDC'), 'approve', devnet.addresses.pool, LARGE);
    return new FixedTipRival(devnet, account, tipPerGasWei);
  }

  /** Hands a liquidation of each over, without waiting. They are of WETH for USDC. */
  async liquidate(borrowers: readonly string[]): Promise<void> {
    const { devnet, account, tipPerGasWei } = this;
    const { WETH, USDC } = devnet.tokens;
    const { baseFeePerGas } = (await devnet.provider.getBlock('latest')) ?? {};
    const fees = {
      maxFeePerGas: quantity(2n * (baseFeePerGas ?? 0n) + tipPerGasWei),
      maxPriorityFeePerGas: quantity(tipPerGasWei),
    };
    const first = await devnet.provider.getTransactionCount(account, 'pending');
    const calls = borrowers.map((borrower, index) => {
      const args = [WETH.address, USDC.address, borrower, LARGE, false];
      const data = devnet.contracts.aavePool.interface.encodeFunctionData('liquidationCall', args);
      const call = { from: account, to: devnet.addresses.pool, data, gas: quantity(GAS), ...fees };
      const params = [{ ...call, nonce: quantity(BigInt(first + index)) }];
      return { jsonrpc: '2.0', id: index, method: 'eth_sendTransaction', params };
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(devnet.rpcUrl, { method: 'POST', headers, body: JSON.stringify(calls) });
    const refused = ((await answer.json()) as { error?: unknown }[]).find(({ error }) => error !== undefined);
    if (refused) throw new Error(`the node refused the rival: ${JSON.stringify(refused.error)}`);
  }
}

/** Waits until each of the borrowers was liquidated. @param fromBlock none of them was before it */
export async function racesOf(
  devnet: Devnet,
  borrowers: readonly string[],
  fromBlock: number,
): Promise<WonRace[]> {
  const { aavePool } = devnet.contracts;
  const found = new Map<string, WonRace>();
  const topic = aavePool.interface.getEvent('LiquidationCall')?.topicHash ?? '';
  const look = async (): Promise<boolean> => {
    const logs = await devnet.provider.getLogs({
      ...{ address: devnet.addresses.pool, topics: [topic], fromBlock, toBlock: 'latest' },
    });
    for (const { topics, transactionHash, blockNumber: block } of logs) {
      const borrower = `0x${topics[3]?.slice(26) ?? ''}`;
      if (found.has(borrower)) continue;
      const receipt = await devnet.provider.getTransactionReceipt(transactionHash);
      const { baseFeePerGas } = (await devnet.provider.getBlock(block)) ?? {};
      if (!receipt) return false;
      const tipPerGasWei = receipt.gasPrice - (baseFeePerGas ?? 0n);
      found.set(borrower, { borrower, winner: receipt.from, block, tipPerGasWei, gasUsed: receipt.gasUsed });
    }
    return borrowers.every((borrower) => found.has(borrower.toLowerCase()));
  };
  await eventually(look, 'every position to be liquidated');
  return borrowers.flatMap((borrower) => found.get(borrower.toLowerCase()) ?? []);
}

const quantity = (value: bigint): string => `0x${value.toString(16)}`;
