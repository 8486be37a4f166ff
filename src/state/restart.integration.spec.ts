import { describe, expect, it, vi } from 'vitest';
import { aaveView } from '../../testing/aave-state.js';
import { endow, send } from '../../testing/send.js';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { eventually } from '../../testing/eventually.js';
import { MemoryCache } from '../cache/index.js';
import { RetryError } from '../domain/errors.js';
import type { Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { RpcError } from '../rpc/rpc-errors.js';
import { BORROWERS, disagreements, ignore, stateSpec } from '../../testing/state.js';

const spec = stateSpec();

describe('a restart', () => {
  it('goes on from the checkpoint without the history, and misses no borrower since then', async () => {
    const cache = new MemoryCache();
    const before = await spec.whole({ cache });
    await spec.bench.devnet.mine(3);
    await before.advance();
    await before.store.flush();
    const borrower = await spec.borrow();
    await spec.bench.devnet.increaseTime(600);
    const after = spec.engineOf({ cache });
    after.calls();
    const view = await after.start();
    expect(after.calls()).toBeLessThan(40); // the market, the logs since, one borrower
    expect(after.backfill.isFinished).toBe(true);
    expect(aaveView(view).positions.has(borrower)).toBe(true);
    expect(aaveView(view).positions.size).toBe(BORROWERS + 1);
    expect(await disagreements(after)).toEqual([]);
  });

  it('reads the accounts that were found before it and not read yet', async () => {
    const first = spec.engineOf();
    await first.start();
    // Like a kill after the found accounts were saved and before they were read.
    first.backfill.serve(
      first.backfill.served.map((target) => ({ ...target, adopt: () => new Promise<void>(ignore) })),
    );
    void first.backfill.release();
    await eventually(async () => {
      const [row] = await spec.bench.dataSource.query<{ scanned: string }[]>(
        'SELECT count(*) AS scanned FROM positions',
      );
      return Number(row?.scanned) > 0;
    }, 'borrowers in the database');
    await first.backfill.stop();

    const second = await spec.whole();
    expect(second.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(second)).toEqual([]);
  });

  it('reads every account again after a reorg removed the checkpoint', async () => {
    const fork = await spec.bench.devnet.snapshot();
    await spec.bench.devnet.mine(2);
    const before = await spec.whole();
    await before.store.flush();
    await spec.bench.devnet.revert(fork);
    await spec.bench.devnet.setPrice('WETH', 2_940n * USD8);
    await spec.bench.devnet.mine(5);
    const after = spec.engineOf();
    expect(aaveView(await after.start()).borrowerCount).toBe(0);
    await after.backfill.release();
    expect(after.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(after)).toEqual([]);
  });

  it('reads an account again from the chain when its saved state cannot be decoded', async () => {
    const before = await spec.whole();
    await before.store.flush();
    await spec.bench.dataSource.query(
      `UPDATE positions SET state = '{"debt": 1}' WHERE account = (SELECT min(account) FROM positions)`,
    );
    const after = spec.engineOf();
    expect(aaveView(await after.start()).borrowerCount).toBe(BORROWERS - 1);
    await after.backfill.release();
    expect(after.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(after)).toEqual([]);
  });

  it('F52 a saved debt that was too small is repaid: set aside at once, right again, and no halt', async () => {
    const borrower = await spec.borrow();
    const before = await spec.whole();
    await before.store.flush();
    const key = `account = '${borrower}'`;
    // The last number of a leg is its scaled debt.
    await spec.bench.dataSource.query(
      `UPDATE positions SET state = to_jsonb(regexp_replace(state #>> '{}', '[1-9][0-9]*$', '1')) WHERE ${key}`,
    );
    const after = spec.engineOf();
    await after.start();
    expect(await disagreements(after)).toMatchObject([{ account: borrower }]);
    const { devnet } = spec.bench;
    const { aavePool } = devnet.contracts;
    await endow(devnet, borrower, 'USDC', 10n ** 9n, devnet.addresses.pool);
    await send(devnet, borrower, aavePool, 'repay', devnet.tokens.USDC.address, 10n ** 8n, 2, borrower);
    await after.advance();
    expect(after.doubts.takeContradicted()).toMatchObject([{ market: 'aave', account: borrower }]);
    expect(after.doubts.isSetAside('aave', borrower)).toBe(true);
    expect(after.doubts.of('aave')).toEqual([borrower]);
    expect(await disagreements(after)).toEqual([]);
    await devnet.mine();
    await after.advance();
    expect(after.doubts.takeContradicted()).toEqual([]);
  });

  it('finds, names and corrects a saved position that is wrong', async () => {
    const before = await spec.whole();
    await before.store.flush();
    const [{ account } = { account: '0x' as Address }] = await spec.bench.dataSource
      .query<{ account: Address }[]>(
        `UPDATE positions SET state = (SELECT state FROM positions other WHERE other.account <> positions.account
         AND other.state <> positions.state LIMIT 1)
       WHERE account = (SELECT min(account) FROM positions) RETURNING account`,
      )
      .then((answer: unknown) => (answer as [{ account: Address }[]])[0]);
    const after = spec.engineOf();
    await after.start();
    const found = await disagreements(after);
    expect(found).toMatchObject([{ market: 'aave', account }]);
    await after.engine.refresh('aave', [account]);
    expect(await disagreements(after)).toEqual([]);
  });
});

describe('a node that is behind another one', () => {
  it('does not make a restart drop the saved states', async () => {
    const before = await spec.whole();
    await spec.bench.devnet.mine(3);
    await before.advance();
    await before.store.flush();
    await spec.bench.devnet.mine(2);
    const after = spec.engineOf();
    const head = await after.chain.getBlock('latest');
    // One URL in front of two nodes: one node gave the head, and the other node, which does not have it,
    // answers now.
    const behind = vi
      .spyOn(after.chain, 'getBlock')
      .mockImplementation((block) =>
        Promise.reject(new RpcError('out-of-sync', 'primary', `the node does not have block ${block}`)),
      );
    await expect(after.engine.start(head)).rejects.toBeInstanceOf(RetryError);
    behind.mockRestore();
    expect(aaveView(await after.engine.start(head)).borrowerCount).toBe(BORROWERS);
  });
});

describe('the archive', () => {
  it('F11 is not trusted about blocks that it does not have yet: no borrower is missed', async () => {
    const { devnet } = spec.bench;
    const borrower = await spec.borrow();
    const head = await devnet.provider.getBlockNumber();
    const archive = await FakeRpc.start();
    try {
      let behind = head - 1;
      archive.chainId = devnet.chainId;
      archive.forwardTo(devnet.rpcUrl);
      archive.on('eth_getBlockByNumber', ([number, whole]) =>
        Number(number) > behind ? null : devnet.rpc('eth_getBlockByNumber', [number, whole]),
      );
      archive.on('eth_getLogs', ([filter]) => {
        const { fromBlock, toBlock } = filter as { fromBlock: string; toBlock: string };
        if (Number(fromBlock) > behind) return [];
        const last = `0x${Math.min(Number(toBlock), behind).toString(16)}`;
        return devnet.rpc('eth_getLogs', [{ ...(filter as object), toBlock: last }]);
      });
      const one = spec.engineOf({ archiveUrl: archive.url('http') });
      await one.start();
      const running = one.backfill.release();
      await eventually(() => archive.seenOf('eth_getLogs').length > 0, 'the first question');
      expect(one.backfill.isFinished).toBe(false);
      behind = head;
      await running;
      await devnet.mine();
      expect(aaveView(await one.advance()).positions.has(borrower)).toBe(true);
      expect(one.engine.positionCount).toBe(BORROWERS + 1);
    } finally {
      await archive.stop();
    }
  });

  it('F19 is down: the backfill pauses and live work goes on; it is back: the backfill ends', async () => {
    const archive = await FakeRpc.start();
    try {
      archive.chainId = spec.bench.devnet.chainId;
      archive.fault = { kind: 'status', status: 503 };
      const one = spec.engineOf({ archiveUrl: archive.url('http') });
      await one.start();
      const running = one.backfill.release();
      const borrower = await spec.borrow();
      const view = await one.advance();
      expect(aaveView(view).positions.has(borrower)).toBe(true);
      expect(await disagreements(one)).toEqual([]);
      expect(one.backfill.progressOf('aave')?.unread).toBe(0);
      expect(archive.requests).toBeGreaterThan(0);

      archive.forwardTo(spec.bench.devnet.rpcUrl);
      archive.fault = undefined;
      await running;
      expect(one.backfill.isFinished).toBe(true);
      expect(one.engine.positionCount).toBe(BORROWERS + 1);
      expect(await disagreements(one)).toEqual([]);
    } finally {
      await archive.stop();
    }
  });
});
