import { describe, expect, it } from 'vitest';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import type { Block } from '../domain/block.js';
import { HaltError, RetryError } from '../domain/errors.js';
import type { LendingMarket, MarketView } from './lending-market.js';
import { MarketRefused } from './market-refused.js';
import { RefusableMarket } from './refusable-market.js';
import { NO_FEEDS } from './scan/feeds-behind.js';

const BLOCK = standIn<Block>('block', { number: 7 });
const STEP = { readsChange: false, contradicted: [], undecodable: [] };
const fetchLogs = (): Promise<[]> => Promise.resolve([]);

/** A market of one position, which throws this in place of preparing a block. */
function marketThat(fails?: Error): { market: RefusableMarket; events: RecordedEvents; undone: unknown[] } {
  const events = new RecordedEvents();
  const undone: unknown[] = [];
  const prepared = (): Promise<typeof STEP> => (fails ? Promise.reject(fails) : Promise.resolve(STEP));
  const view: MarketView = {
    borrowerCount: 1,
    priceUsd8: () => 1n,
    atRisk: () => [],
    aboutToOpen: () => [],
    near: () => [],
  };
  const own = standIn<LendingMarket>('market', {
    name: 'aave',
    counts: { followed: 1, watched: 1 },
    isWhole: true,
    coverage: undefined,
    watched: new Map([['0xaa', []]]),
    prepare: prepared,
    prepareRange: prepared,
    commit: () => 'the undo',
    commitRange: () => undefined,
    undo: (undo: unknown) => undone.push(undo),
    view: () => view,
    reads: () => ({ calls: [{ to: '0xaa', data: '0x' }], decode: () => undefined }),
    accountsIn: () => Promise.resolve(new Set()),
  });
  return { market: new RefusableMarket(own, events), events, undone };
}

const REFUSED = new MarketRefused('aave: the pool has POOL_REVISION 12');

describe('a market whose rules are known', () => {
  it('is followed as it is', async () => {
    const { market, events, undone } = marketThat();
    const step = await market.prepare(BLOCK, [], fetchLogs);
    market.undo(market.commit(step, BLOCK));
    expect(undone).toEqual(['the undo']);
    expect(market.view(undefined).borrowerCount).toBe(1);
    expect(market.isWhole).toBe(true);
    expect(market.refusal).toBeUndefined();
    expect(events.all).toEqual([]);
  });

  it('that fails for another reason fails as before', async () => {
    const { market } = marketThat(new HaltError('the unit is wrong'));
    await expect(market.prepare(BLOCK, [], fetchLogs)).rejects.toThrow('the unit is wrong');
  });
});

describe('a market whose rules are not known any more', () => {
  it('stops with its sentence, once, and halts nothing', async () => {
    const { market, events } = marketThat(REFUSED);
    const step = await market.prepare(BLOCK, [], fetchLogs);
    expect(events.all).toEqual([]);
    market.commit(step, BLOCK);
    market.commit(await market.prepare(BLOCK, [], fetchLogs), BLOCK);
    expect(events.named('market-refused')).toEqual([
      expect.objectContaining({ market: 'aave', block: 7, reason: REFUSED.message }),
    ]);
    expect(market.view(undefined).borrowerCount).toBe(0);
    expect(market.reads(BLOCK).calls).toEqual([]);
    expect(market.watched.size).toBe(0);
    expect(market.isWhole).toBe(false);
    expect(market.refusal).toBe(REFUSED.message);
    expect(market.counts).toEqual({ followed: 0, watched: 0 });
    expect(market.debts(BLOCK)).toBeUndefined();
    expect(market.feedsBehind(market.view(undefined))).toEqual(NO_FEEDS);
    await expect(market.accountsIn(0, 1)).rejects.toThrow(RetryError);
  });

  it('is followed again when a reorg takes that block back', async () => {
    const { market, undone } = marketThat(REFUSED);
    const undo = market.commit(await market.prepare(BLOCK, [], fetchLogs), BLOCK);
    market.undo(undo);
    expect(market.view(undefined).borrowerCount).toBe(1);
    expect(market.refusal).toBeUndefined();
    expect(undone).toEqual([]);
  });

  it('names no feeds for a view of the time while it was refused', async () => {
    const { market } = marketThat(REFUSED);
    const undo = market.commit(await market.prepare(BLOCK, [], fetchLogs), BLOCK);
    const refused = market.view(undefined);
    market.undo(undo);
    expect(market.feedsBehind(refused)).toEqual(NO_FEEDS);
  });

  it('begins without anything when that is so at start', async () => {
    const { market, events } = marketThat(REFUSED);
    market.commitRange(await market.prepareRange(BLOCK, undefined, []), BLOCK);
    expect(events.named('market-refused')).toHaveLength(1);
    expect(market.view(undefined).borrowerCount).toBe(0);
  });
});
