import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { BORROWERS, disagreements, stateSpec, type Engine } from '../../testing/state.js';
import { faultBegins } from '../../testing/fault-times.js';

const spec = stateSpec();

describe('whether every borrower is known', () => {
  let node: FakeRpc;
  let clock: TestClock;

  beforeEach(async () => {
    node = await FakeRpc.start();
    node.forwardTo(spec.bench.devnet.rpcUrl);
    clock = new TestClock();
  });

  afterEach(() => node.stop());

  /** The node has no logs below the head: it answers [] for them, as a node does that has pruned them. */
  const prune = (): void => node.on('eth_getLogs', () => []);

  /** As after each pass. */
  const compare = (one: Engine): Promise<unknown> => disagreements(one);

  it('is proven by the sums of all debts, exactly, also while debts are taken and repaid', async () => {
    const one = await spec.whole();
    expect(one.engine.incomplete).toEqual([]);
    expect(one.events.named('positions-complete')).toHaveLength(1);
    for (const times of [1n, 2n]) {
      await spec.borrow(times);
      await spec.bench.devnet.mine(50);
      await one.advance();
      expect(await disagreements(one)).toEqual([]);
      expect(one.engine.incomplete).toEqual([]);
    }
    expect(one.events.named('positions-incomplete')).toEqual([]);
  });

  it('F45 a node that answers [] for old logs is noticed, said once with what is missing, and the search goes on', async () => {
    prune();
    const one = spec.engineOf({ archiveUrl: node.url('http'), clock });
    const fault = faultBegins();
    await one.start();
    expect(one.engine.incomplete).toEqual([{ market: 'aave', missing: [] }]);
    await one.backfill.release();
    const [incomplete] = one.engine.incomplete;
    expect(one.engine.positionCount).toBe(0);
    expect(incomplete?.missing.length).toBeGreaterThan(0);
    fault.detected();
    for (const { known, total, lacks } of incomplete?.missing ?? []) {
      expect(known).toBe('0');
      expect(Number(total)).toBeGreaterThan(0);
      expect(lacks).toBe(true);
    }
    // The second search, at once, finds no more. The third has to wait for a minute.
    await one.backfill.release();
    await spec.bench.devnet.mine();
    await one.advance();
    await compare(one);
    expect(one.backfill.isFinished).toBe(true);
    expect(one.events.named('positions-incomplete')).toHaveLength(1);

    fault.over();
    node.forwardTo(spec.bench.devnet.rpcUrl);
    clock.advance(60_000);
    await spec.bench.devnet.mine();
    await one.advance();
    await compare(one);
    expect(one.backfill.isFinished).toBe(false);
    await one.backfill.release();
    expect(one.engine.positionCount).toBe(BORROWERS);
    fault.recovered();
    expect(one.engine.incomplete).toEqual([]);
    expect(one.events.named('positions-complete')).toHaveLength(1);
    expect(await disagreements(one)).toEqual([]);
  });

  it('F45 a fromBlock above the first loan is noticed: the whole chain is searched, and all are found', async () => {
    await spec.bench.devnet.mine(3);
    const head = await spec.bench.devnet.provider.getBlockNumber();
    const one = spec.engineOf({ fromBlock: head });
    await one.start();
    await one.backfill.release();
    expect(one.engine.incomplete).not.toEqual([]);
    expect(one.backfill.progressOf('aave')).toMatchObject({ fromBlock: 0 });
    await one.backfill.release();
    expect(one.engine.positionCount).toBe(BORROWERS);
    expect(one.engine.incomplete).toEqual([]);
  });

  it('F45 a search of another fromBlock before the restart is noticed in the same way', async () => {
    const head = await spec.bench.devnet.provider.getBlockNumber();
    const before = spec.engineOf({ fromBlock: head + 1 });
    await before.start();
    await before.store.settled();
    const after = spec.engineOf({ fromBlock: 0 });
    await after.start();
    for (let search = 0; search < 3; search += 1) await after.backfill.release();
    expect(after.engine.incomplete).toEqual([]);
    expect(after.engine.positionCount).toBe(BORROWERS);
  });

  it('F45 one odd answer about a total does not make a complete market incomplete', async () => {
    const one = await spec.whole();
    const { completeness } = one.backfill;
    const odd = [{ asset: '0x01', symbol: 'USDC', known: '1', total: '2', lacks: true }] as const;
    completeness.judge('aave', odd, 7, false);
    completeness.judge('aave', odd, 7, false);
    expect(one.engine.incomplete).toEqual([]);
    completeness.judge('aave', odd, 8, false);
    expect(one.engine.incomplete).toHaveLength(1);
    await spec.bench.devnet.mine();
    await one.advance();
    await compare(one);
    expect(one.engine.incomplete).toEqual([]);
    expect(one.events.named('positions-complete')).toHaveLength(2);
  });
});
