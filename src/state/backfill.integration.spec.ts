import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestDatabase } from '../../testing/database.js';
import { eventually } from '../../testing/eventually.js';
import { standIn } from '../../testing/fakes/stand-in.js';
import { RecordedEvents } from '../../testing/fakes/recorded-events.js';
import { MemoryCache } from '../cache/index.js';
import { CheckpointsRepository, type History } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { toAddress, type Address } from '../domain/hex.js';
import type { Chain } from '../rpc/chain/chain.js';
import { AdaptiveSize } from '../rpc/endpoints/adaptive-size.js';
import { LogRangeTooLarge, RpcError } from '../rpc/rpc-errors.js';
import { Backfill, type BackfillTarget } from './backfill.js';
import { CheckpointStore } from './checkpoint-store.js';
import { ignore } from '../../testing/state.js';
import { faultBegins } from '../../testing/fault-times.js';

const MARKET = 'aave';
const GOAL = 99_999;
/** One borrower in each thousand blocks. */
const borrowerAt = (block: number): Address => toAddress(`0x${block.toString(16).padStart(40, '0')}`);
const borrowersIn = (from: number, to: number): Set<Address> => {
  const found = new Set<Address>();
  for (let block = Math.ceil(from / 1_000) * 1_000; block <= to; block += 1_000) found.add(borrowerAt(block));
  return found;
};
const ALL_BORROWERS = [...borrowersIn(0, GOAL)];

let database: TestDatabase;
let events: RecordedEvents;

/** A chain with a history to search, and the accounts that are followed. */
class Target implements BackfillTarget {
  readonly name = MARKET;
  readonly asked: [number, number][] = [];
  readonly adopted: Address[] = [];
  /** Throws the error of the provider. */
  fault: (from: number, to: number) => void = ignore;
  /** Called when positions are read. A test may end the process there. */
  onAdopt: () => Promise<void> = () => Promise.resolve();

  accountsIn(from: number, to: number): Promise<Set<Address>> {
    this.asked.push([from, to]);
    this.fault(from, to);
    return Promise.resolve(borrowersIn(from, to));
  }

  isKnown(account: Address): boolean {
    return this.adopted.includes(account);
  }

  prove(): Promise<void> {
    return Promise.resolve();
  }

  async adopt(accounts: readonly Address[]): Promise<void> {
    await this.onAdopt();
    this.adopted.push(...accounts);
  }
}

beforeAll(async () => {
  database = await TestDatabase.start();
});

afterEach(async () => {
  await database.dataSource.query('TRUNCATE positions, checkpoints');
});

afterAll(async () => {
  await database.stop();
});

describe('the backfill', () => {
  it('finds every borrower once, in growing ranges, and reports its progress', async () => {
    const target = new Target();
    const backfill = await begin();
    await run(backfill, target);
    const progress = events.named('backfill-range').map(({ atBlock }) => atBlock);
    expect(target.adopted.toSorted()).toEqual(ALL_BORROWERS.toSorted());
    const lengths = target.asked.map(([from, to]) => to - from + 1);
    expect(lengths[0]).toBe(10_000);
    expect(Math.max(...lengths)).toBeGreaterThan(10_000);
    expect(progress).toEqual(target.asked.map(([, to]) => to));
    expect(progress.at(-1)).toBe(GOAL);
  });

  it('F11 splits a range that the provider finds too large or does not answer in time, and misses nothing', async () => {
    const target = new Target();
    target.fault = (from, to) => {
      if (to - from + 1 > 3_000) throw new LogRangeTooLarge(-32005, 'query returned more than 10000 results');
      if (from === 12_500 && to - from >= 500)
        throw new RpcError('timeout', 'archive', 'no answer within 15000 ms', undefined, true);
    };
    await run(await begin(), target);
    expect(target.adopted.toSorted()).toEqual(ALL_BORROWERS.toSorted());
  });

  it('goes on behind the last range that was saved when it was killed, and nothing is lost', async () => {
    const found = new Set<Address>();
    const begun: number[] = [];
    let life = 0;
    for (; life < 20; life += 1) {
      const backfill = await begin();
      if (backfill.isFinished) break;
      const target = new Target();
      // The borrowers are found and saved but not read yet. Here this process ends.
      target.onAdopt = async () => {
        if (target.asked.length <= life % 3) return;
        void backfill.stop();
        await Promise.reject(new Error('killed'));
      };
      await run(backfill, target);
      for (const account of target.adopted) found.add(account);
      begun.push(...target.asked.slice(0, 1).map(([from]) => from));
    }
    expect(life).toBeGreaterThan(3);
    expect([...found].toSorted()).toEqual(ALL_BORROWERS.toSorted());
    expect(begun).toEqual(begun.toSorted((a, b) => a - b));
    expect(new Set(begun).size).toBe(begun.length);
  });

  it('from the newest block down finds every borrower once, the newest first, and tells how far down it is', async () => {
    const target = new Target();
    const backfill = await begin();
    backfill.newestFirst();
    await run(backfill, target);
    expect(target.adopted.toSorted()).toEqual(ALL_BORROWERS.toSorted());
    expect(target.adopted).toHaveLength(ALL_BORROWERS.length);
    expect(target.adopted[0]).toBe(borrowerAt(60_000));
    const ranges = events.named('backfill-range');
    const down = ranges.flatMap(({ downTo }) => downTo ?? []);
    expect(down).toEqual(down.toSorted((a, b) => b - a));
    expect(down.at(-1)).toBe(0);
    expect(ranges.at(-1)).toMatchObject({ atBlock: GOAL, toBlock: GOAL, borrowers: ALL_BORROWERS.length });
    expect(await stored()).toEqual({ scannedTo: GOAL, goal: GOAL });
  });

  it('from the newest block down goes on where it was killed, and may go on from the oldest one up', async () => {
    const found = new Set<Address>();
    let life = 0;
    for (; life < 20; life += 1) {
      const backfill = await begin();
      if (backfill.isFinished) break;
      // The other way now and then: what the one has searched, the other one leaves out.
      if (life % 3 !== 2) backfill.newestFirst();
      const target = new Target();
      target.onAdopt = async () => {
        // Each life comes through one step, and is ended in the next one.
        if (target.asked.length <= 4) return;
        void backfill.stop();
        await Promise.reject(new Error('killed'));
      };
      await run(backfill, target);
      for (const account of target.adopted) found.add(account);
    }
    expect(life).toBeGreaterThan(1);
    expect([...found].toSorted()).toEqual(ALL_BORROWERS.toSorted());
    expect(await stored()).toEqual({ scannedTo: GOAL, goal: GOAL });
  });

  it('F19 waits while the archive is down, and ends when it is back', async () => {
    const target = new Target();
    let down = true;
    target.fault = () => {
      if (down) throw new RpcError('provider', 'archive', 'HTTP 503');
    };
    const backfill = await begin();
    const fault = faultBegins();
    const done = run(backfill, target);
    await eventually(() => target.asked.length > 0, 'the first question');
    fault.detected();
    expect(backfill.progressOf(MARKET)).toEqual({ fromBlock: 0, atBlock: -1, toBlock: GOAL, unread: 0 });
    fault.over();
    down = false;
    await done;
    fault.recovered();
    expect(target.adopted).toHaveLength(ALL_BORROWERS.length);
    expect(backfill.isFinished).toBe(true);
  });

  it('runs only once at a time, also when it is woken often', async () => {
    const target = new Target();
    const backfill = await begin();
    backfill.serve([target]);
    backfill.wake();
    backfill.wake();
    await backfill.idle();
    expect(target.adopted).toHaveLength(ALL_BORROWERS.length);
  });

  it('reports each market as finished once, also when there is nothing to search', async () => {
    const target = new Target();
    await run(await begin(), target);
    expect(events.named('backfill-finished')).toMatchObject([
      { market: MARKET, borrowers: ALL_BORROWERS.length },
    ]);
    const later = new Backfill(storeOf(), events, new Clock(), chain());
    later.serve([target]);
    later.wake();
    later.wake();
    await later.idle();
    expect(events.named('backfill-finished')).toHaveLength(2);
  });
});

async function stored(): Promise<History | undefined> {
  return (await storeOf().load(MARKET)).history;
}

/** As a new process, with the rows that the process before left in the database. */
async function begin(): Promise<Backfill> {
  events = new RecordedEvents();
  const store = storeOf();
  const saved = await store.load(MARKET);
  const history: History = saved.history ?? { scannedTo: -1, goal: GOAL };
  if (!saved.history) await store.saveHistory(MARKET, [], history);
  const backfill = new Backfill(store, events, new Clock(), chain());
  // The accounts that an earlier process read are in no checkpoint here: only a real market makes one.
  backfill.expect(MARKET, history, saved.unread);
  return backfill;
}

async function run(backfill: Backfill, target: Target): Promise<void> {
  backfill.serve([target]);
  backfill.wake();
  await backfill.idle();
}

function chain(): Chain {
  const span = new AdaptiveSize({ first: 10_000, largest: 200_000, patience: 8 });
  return standIn<Chain>('chain', { logSpan: () => span });
}

function storeOf(): CheckpointStore {
  const repository = new CheckpointsRepository(database.database, 31337);
  return new CheckpointStore(repository, new MemoryCache(), events);
}
