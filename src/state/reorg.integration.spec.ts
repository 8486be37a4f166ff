import { describe, expect, it } from 'vitest';
import { aaveView } from '../../testing/aave-state.js';
import { demoBorrowers } from '../../devnet/index.js';
import { sendFrom } from '../../testing/transactions.js';
import { HaltError, RetryError } from '../domain/errors.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { windowBlocks } from '../domain/chain-description.js';
import { BORROWERS, disagreements, viewOf, stateSpec } from '../../testing/state.js';
import { faultBegins } from '../../testing/fault-times.js';

const spec = stateSpec();
/** How many blocks can be taken back on the local chain, which makes one every two seconds. */
const RING_BLOCKS = windowBlocks('reorg', { blockTimeMs: 2_000 });

describe('a reorg or a gap before the head', () => {
  it('F15 is followed from the ring: positions, prices and new borrowers', async () => {
    const one = await spec.whole();
    const fork = await spec.bench.devnet.snapshot();
    const { number } = await one.chain.getBlock('latest');
    await spec.bench.devnet.setPrice('WETH', 2_500n * USD8);
    await one.advance();
    const gone = await spec.borrow();
    await one.advance();
    await spec.bench.devnet.mine(2);
    const { block: tip } = await one.advance();
    const blocks = await one.chain.getBlocks(number + 1, tip.number);
    expect(aaveView(viewOf(one.engine)).positions.has(gone)).toBe(true);

    await spec.bench.devnet.revert(fork);
    await spec.bench.devnet.setPrice('WETH', 2_990n * USD8);
    const fresh = await spec.borrow(2n);
    await spec.bench.devnet.mine(3);
    one.calls();
    const { view, takenBack } = await one.engine.advance(await one.chain.getBlock('latest'));
    // Headers in two steps, logs, prices and two accounts were read. The other accounts were not read again.
    expect(one.calls()).toBeLessThan(30);
    expect(view && aaveView(view).positions.has(fresh)).toBe(true);
    expect(one.engine.positionCount).toBe(BORROWERS + 1);
    expect(await disagreements(one)).toEqual([]);
    expect(takenBack).toEqual(blocks.map(({ hash }) => hash).reverse());
  });

  it('F15 is followed when the new branch is still shorter and the backfill added positions meanwhile', async () => {
    const one = spec.engineOf();
    await one.start();
    const fork = await spec.bench.devnet.snapshot();
    await spec.bench.devnet.mine(4);
    await one.advance();
    await one.backfill.release();
    await spec.bench.devnet.revert(fork);
    await spec.bench.devnet.setPrice('cbBTC', 91_000n * USD8);
    await spec.bench.devnet.mine(1);
    await one.advance();
    expect(one.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(one)).toEqual([]);
  });

  it('F15 leaves nothing of the old branch in the database while the new branch cannot be read', async () => {
    const known = await spec.borrow();
    const one = await spec.whole();
    const fork = await spec.bench.devnet.snapshot();
    await spec.borrow();
    await one.advance();
    await one.store.flush();
    await spec.bench.devnet.revert(fork);
    await spec.bench.devnet.mine(1);
    await spec.borrow();
    one.failLogs(true);
    await expect(one.advance()).rejects.toBeInstanceOf(RetryError);
    // Meanwhile another account is read, which causes a checkpoint.
    const [target] = one.backfill.served;
    await target?.adopt([known]);
    await one.store.settled();
    const next = spec.engineOf();
    await next.start();
    expect(await disagreements(next)).toEqual([]);
  });

  it('F34 compares prices with the last seen prices, on either branch', async () => {
    const one = await spec.whole();
    const fork = await spec.bench.devnet.snapshot();
    await spec.bench.devnet.mine(1);
    await one.advance();
    await spec.bench.devnet.revert(fork);
    await spec.bench.devnet.setPrice('WETH', 1_600n * USD8);
    await spec.bench.devnet.mine(1);
    const jumped = aaveView(await one.advance()).jumped;
    expect([...jumped]).toEqual([toAddress(spec.bench.devnet.tokens.WETH.address)]);
  });

  it('F16 halts when it goes back beyond the ring, and every account is read again', async () => {
    const one = await spec.whole();
    const fork = await spec.bench.devnet.snapshot();
    await spec.bench.devnet.mine(2);
    await one.advance();
    for (let block = 0; block < RING_BLOCKS + 1; block += 1) {
      await spec.bench.devnet.mine();
      await one.advance();
    }
    const fault = faultBegins();
    await spec.bench.devnet.revert(fork);
    await spec.borrow();
    await spec.bench.devnet.mine(RING_BLOCKS + 4);
    const tip = viewOf(one.engine).block.hash;
    const { error, takenBack } = await one.engine.advance(await one.chain.getBlock('latest'));
    expect(error).toBeInstanceOf(HaltError);
    fault.detected();
    fault.over();
    expect(error).toMatchObject({ message: expect.stringMatching(/left ours before block \d+/) as string });
    expect(takenBack).toContain(tip);
    expect(one.backfill.isFinished).toBe(false);
    await one.backfill.release();
    await spec.bench.devnet.mine();
    await one.advance();
    expect(one.engine.positionCount).toBe(BORROWERS + 1);
    fault.recovered();
    expect(await disagreements(one)).toEqual([]);
  });

  it('F14 is not assumed for a late head; a gap is closed block by block', async () => {
    const one = await spec.whole();
    await spec.bench.devnet.setPrice('WETH', 2_950n * USD8);
    const late = await one.chain.getBlock('latest');
    await spec.borrow();
    await spec.bench.devnet.increaseTime(3_600);
    await spec.bench.devnet.mine(3);
    const view = await one.advance();
    expect(aaveView(view).positions.size).toBe(BORROWERS + 1);
    expect(await disagreements(one)).toEqual([]);
    expect((await one.advance(late)).block.hash).toBe(view.block.hash);
  });

  it('is closed by ranges when it is long, after a failure of any call on the way', async () => {
    const one = await spec.whole();
    await spec.bench.devnet.rpc('anvil_mine', ['0x259']);
    await spec.borrow();
    await spec.bench.devnet.setPrice('WETH', 2_900n * USD8);
    const before = viewOf(one.engine);
    let failures = 0;
    for (let call = 1; ; call += 1) {
      one.failAfter(call);
      const failed = await one.advance().then(
        () => undefined,
        (error: unknown) => error,
      );
      one.failAfter(undefined);
      if (failed === undefined) break;
      expect(failed).toBeInstanceOf(RetryError);
      expect(one.engine.view).toBe(before);
      failures += 1;
    }
    expect(failures).toBeGreaterThan(5);
    expect(one.engine.positionCount).toBe(BORROWERS + 1);
    expect(await disagreements(one)).toEqual([]);
  });

  it('is closed by ranges while positions are read in the background', async () => {
    const one = spec.engineOf();
    await one.start();
    await spec.bench.devnet.rpc('anvil_mine', ['0x259']);
    const addresses = demoBorrowers(BORROWERS).map(({ account }) => toAddress(account));
    for (const account of addresses.slice(0, 3)) await supplyTo(account);
    await spec.bench.devnet.mine(2);
    const [target] = one.backfill.served;
    if (!target) throw new Error('a market was expected');
    // These reads are at the old block. They may end during the leap or after it; then they are tried again.
    const adopting = Promise.allSettled(addresses.map((account) => target.adopt([account])));
    await one.advance();
    await adopting;
    await target.adopt(addresses);
    expect(one.engine.positionCount).toBe(BORROWERS);
    await spec.bench.devnet.mine();
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
  });
});

/** Supplies dollars on behalf of an account: its position changes in that block. */
async function supplyTo(account: Address): Promise<void> {
  const { devnet } = spec.bench;
  const { deployer, trader } = devnet.accounts;
  const token = devnet.token('USDC').interface;
  const to = devnet.tokens.USDC.address;
  const amount = 1_000n * 10n ** 6n;
  const pool = devnet.contracts.aavePool.interface;
  await sendFrom(devnet, deployer, { to, data: token.encodeFunctionData('mint', [trader, amount]) });
  await sendFrom(devnet, trader, {
    to,
    data: token.encodeFunctionData('approve', [devnet.addresses.pool, amount]),
  });
  await sendFrom(devnet, trader, {
    to: devnet.addresses.pool,
    data: pool.encodeFunctionData('supply(address,uint256,address,uint16)', [to, amount, account, 0]),
  });
}
