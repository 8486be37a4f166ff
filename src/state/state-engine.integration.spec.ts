import { Contract } from 'ethers';
import { describe, expect, it } from 'vitest';
import { aaveView } from '../../testing/aave-state.js';
import { eventually } from '../../testing/eventually.js';
import { send } from '../../testing/send.js';
import { toAddress, type Hash } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import type { DeliveredLogs } from './block-logs.js';
import { BORROWERS, disagreements, ignore, viewOf, stateSpec } from '../../testing/state.js';

const OTHER_TOPIC: Hash = `0x${'ab'.repeat(32)}`;

const spec = stateSpec();

describe('the state', () => {
  it('starts empty and live, and has every borrower after the backfill', async () => {
    const one = spec.engineOf();
    expect(aaveView(await one.start()).borrowerCount).toBe(0);
    await spec.bench.devnet.mine();
    await one.advance();
    await one.backfill.release();
    expect(one.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(one)).toEqual([]);
  });

  it('is at one block after each head, and agrees with the chain there', async () => {
    const one = await spec.whole();
    for (let step = 0; step < 3; step += 1) {
      await spec.bench.devnet.setPrice('WETH', 2_900n * USD8 - BigInt(step) * 100n * USD8);
      const view = await one.advance();
      expect(view.block.hash).toBe((await one.chain.getBlock('latest')).hash);
      expect(await disagreements(one)).toEqual([]);
    }
  });

  it('follows a new borrower from the block of its first loan on', async () => {
    const one = await spec.whole();
    const borrower = await spec.borrow();
    expect(aaveView(await one.advance()).positions.has(borrower)).toBe(true);
    expect(await disagreements(one)).toEqual([]);
  });

  it('does not change for a reader while the next block is being applied', async () => {
    const one = await spec.whole();
    const before = viewOf(one.engine);
    const copy = structuredClone([...aaveView(before).positions].map(([, { account }]) => account));
    await spec.bench.devnet.setPrice('WETH', 2_000n * USD8);
    const borrower = await spec.borrow();
    const advancing = one.advance();
    await eventually(() => {
      expect(one.engine.view === before || aaveView(viewOf(one.engine)).positions.has(borrower)).toBe(true);
      return one.engine.view !== before;
    }, 'the next view');
    await advancing;
    expect([...aaveView(before).positions].map(([, { account }]) => account)).toEqual(copy);
    expect(aaveView(before).positions.has(borrower)).toBe(false);
  });

  it('makes no call for a block without a log of its markets and feeds', async () => {
    const one = await spec.whole();
    await spec.bench.devnet.mine();
    const head = await one.chain.getBlock('latest');
    one.calls();
    await one.advance(head);
    expect(one.calls()).toBe(0);
    expect(await disagreements(one)).toEqual([]);
  });

  it('takes a price from the log of its feed alone', async () => {
    const one = await spec.whole();
    await spec.bench.devnet.setPrice('WETH', 2_800n * USD8);
    const head = await one.chain.getBlock('latest');
    one.calls();
    await one.advance(head);
    expect(one.calls()).toBe(1); // the block's logs
    expect(await disagreements(one)).toEqual([]);
  });

  it('follows a feed whose log announces another aggregator', async () => {
    const one = await spec.whole();
    const { WETH, cbBTC } = spec.bench.devnet.tokens;
    const { devnet } = spec.bench;
    const { deployer } = devnet.accounts;
    await send(devnet, deployer, devnet.feed('WETH'), 'proposeAggregator', cbBTC.aggregator);
    await send(devnet, deployer, devnet.feed('WETH'), 'confirmAggregator', cbBTC.aggregator);
    const view = await one.advance();
    const prices = aaveView(view).conditions.prices;
    expect(prices.get(toAddress(WETH.address))).toBe(prices.get(toAddress(cbBTC.address)));
    await spec.bench.devnet.setPrice('cbBTC', 95_000n * USD8);
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
  });

  it('takes no answer of an SVR feed before the market gets it', async () => {
    const one = await spec.whole();
    const { devnet } = spec.bench;
    const cbBTC = toAddress(devnet.tokens.cbBTC.address);
    const before = aaveView(await one.advance()).conditions.prices.get(cbBTC);
    const aggregator = new Contract(devnet.tokens.cbBTC.aggregator, ['function withhold(bool)']);
    await send(devnet, devnet.accounts.deployer, aggregator, 'withhold', true);
    await devnet.setPrice('cbBTC', 80_000n * USD8);
    expect(aaveView(await one.advance()).conditions.prices.get(cbBTC)).toBe(before);
    await send(devnet, devnet.accounts.deployer, aggregator, 'withhold', false);
    expect(aaveView(await one.advance()).conditions.prices.get(cbBTC)).toBe(80_000n * USD8);
    expect(await disagreements(one)).toEqual([]);
    // From then on its logs tell it again.
    await devnet.mine();
    const head = await one.chain.getBlock('latest');
    one.calls();
    await one.advance(head);
    expect(one.calls()).toBe(0);
  });

  it('reads a feed by a call after it changed its aggregator without a log', async () => {
    const one = await spec.whole();
    const { WETH, cbBTC } = spec.bench.devnet.tokens;
    // phaseId and aggregator share the proxy's first slot.
    const slot = `0x${cbBTC.aggregator.slice(2).padStart(60, '0')}0001`.toLowerCase();
    await spec.bench.devnet.rpc('anvil_setStorageAt', [WETH.feed, `0x${'0'.repeat(64)}`, slot]);
    await spec.bench.devnet.mine();
    await one.advance();
    const asset = toAddress(WETH.address);
    expect(await disagreements(one)).toMatchObject([{ market: 'aave', asset }]);
    one.market.distrustPrice(asset);
    await spec.bench.devnet.mine();
    const view = await one.advance();
    expect(aaveView(view).conditions.prices.has(asset)).toBe(true);
    expect(await disagreements(one)).toEqual([]);
  });

  it('F44 a log that a WebSocket delivered and the whole block does not hold stops nothing', async () => {
    const heard = new Map<Hash, RawLog[]>();
    const invented: RawLog[] = [];
    const delivered: DeliveredLogs = {
      listenTo: ignore,
      heard: (hash) => heard.get(hash) ?? [],
      invented: (log) => invented.push(log),
    };
    const one = spec.engineOf({ delivered });
    await one.startWhole();
    await spec.borrow();
    const head = await one.chain.getBlock('latest');
    const pool = toAddress(spec.bench.devnet.addresses.pool);
    const [log] = await one.chain.getLogs({ blockHash: head.hash }, [pool], []);
    if (!log) throw new Error('a log was expected');
    // One that the bloom does not exclude, and one that it does.
    const [twin, foreign] = [
      { ...log, logIndex: 9_999 },
      { ...log, logIndex: 9_998, topics: [OTHER_TOPIC] },
    ];
    heard.set(head.hash, [twin, foreign]);
    await one.advance(head);
    expect(invented).toEqual([foreign, twin]);
    expect(await disagreements(one)).toEqual([]);

    await spec.borrow();
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
    expect(invented).toHaveLength(2);
  });
});
