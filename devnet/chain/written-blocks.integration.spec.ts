import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type BlockTransaction, type Devnet } from '../index.js';

const FUTURE = 4_000_000_000;

describe('blocks written by hand', () => {
  let devnet: Devnet;

  beforeAll(async () => {
    devnet = await startDevnet();
  });
  afterAll(() => devnet.stop());

  /** Transfers USDC from one account to the next. */
  function transfer(from: string, to: string, amount: bigint): BlockTransaction {
    const token = devnet.token('USDC').interface;
    return { from, to: devnet.tokens.USDC.address, data: token.encodeFunctionData('transfer', [to, amount]) };
  }
  const balance = (account: string): Promise<bigint> =>
    devnet.token('USDC').getFunction('balanceOf')(account) as Promise<bigint>;
  const latest = async (): Promise<{ number: number; timestamp: number; hash: string }> => {
    const block = await devnet.provider.getBlock('latest');
    return { number: block?.number ?? 0, timestamp: block?.timestamp ?? 0, hash: block?.hash ?? '' };
  };

  it('hold their transactions in the order given, the refused ones too, at the time given', async () => {
    const { supplier, trader, treasury } = devnet.accounts;
    // In any other order the trader or the treasury has nothing to transfer.
    const receipts = await devnet.mineBlock(
      [
        transfer(treasury, trader, 1n),
        transfer(supplier, trader, 7n),
        transfer(trader, treasury, 7n),
        transfer(treasury, supplier, 5n),
      ],
      FUTURE,
    );
    expect(receipts.map(({ succeeded }) => succeeded)).toEqual([false, true, true, true]);
    expect(receipts.map(({ logs }) => logs.length)).toEqual([0, 1, 1, 1]);
    expect([await balance(trader), await balance(treasury)]).toEqual([0n, 2n]);
    expect((await latest()).timestamp).toBe(FUTURE);
  });

  it('are replaced by a reorg: as many blocks, other transactions, other times', async () => {
    const { supplier, trader, treasury } = devnet.accounts;
    const start = await latest();
    for (let block = 1; block <= 3; block++)
      await devnet.mineBlock([transfer(supplier, trader, 1n)], start.timestamp + block);
    const before = await latest();
    const receipts = await devnet.reorg([[transfer(supplier, treasury, 4n)], []], 60);
    expect(receipts.map((block) => block.map(({ succeeded }) => succeeded))).toEqual([[true], []]);
    const after = await latest();
    expect(after.number).toBe(before.number);
    expect(after.hash).not.toBe(before.hash);
    expect(after.timestamp).toBe(start.timestamp + 1 + 2 * 60);
    expect([await balance(trader), await balance(treasury)]).toEqual([1n, 6n]);
    await devnet.mineBlock([transfer(treasury, trader, 6n)], after.timestamp + 1);
    expect(await balance(trader)).toBe(7n);
  });
});
