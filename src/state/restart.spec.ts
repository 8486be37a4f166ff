import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { demoBorrowers } from '../../devnet/index.js';
import { FakeRpc } from '../../test/fault/fake-rpc.js';
import { eventually } from '../../test/harness/eventually.js';
import { MemoryCache } from '../cache/index.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { disagreements, ignore, StateBench, type Engine, type EngineSettings } from './state.fixture.js';

const BORROWERS = 12;
const LOAN = {
  collaterals: [{ symbol: 'WETH', amount: 10n ** 18n }],
  debts: [{ symbol: 'USDC', amount: 10n ** 9n }],
} as const;

let bench: StateBench;
let clean: string;
let open: Engine[];

beforeAll(async () => {
  bench = await StateBench.start();
  await bench.devnet.openPositions(demoBorrowers(BORROWERS));
});

beforeEach(async () => {
  clean = await bench.devnet.snapshot();
  open = [];
});

afterEach(async () => {
  for (const engine of open) await engine.close();
  await bench.devnet.revert(clean);
  await bench.dataSource.query('TRUNCATE positions, checkpoints');
});

afterAll(async () => {
  await bench.stop();
});

describe('a restart', () => {
  it('goes on from the checkpoint without the history, and misses nobody who borrowed meanwhile', async () => {
    const cache = new MemoryCache();
    const before = await whole({ cache });
    await bench.devnet.mine(3);
    await before.advance();
    await before.store.flush();
    const borrower = await borrow();
    await bench.devnet.increaseTime(600);
    const after = engineOf({ cache });
    after.calls();
    const view = await after.start();
    expect(after.calls()).toBeLessThan(40); // the market, the logs since, one borrower
    expect(after.engine.backfill.isFinished).toBe(true);
    expect(view.markets[0]?.positions.has(borrower)).toBe(true);
    expect(view.markets[0]?.positions.size).toBe(BORROWERS + 1);
    expect(await disagreements(after)).toEqual([]);
  });

  it('in the middle of a backfill goes on with the next range, and with whom it found', async () => {
    const first = engineOf();
    await first.start();
    const stop = new AbortController();
    // As a kill between the second range and the reading of whom it found.
    const adopting = first.engine.targets.map((target) => ({
      ...target,
      adopt: () => new Promise<void>(ignore),
    }));
    void first.engine.backfill.run(adopting, ignore, ignore, stop.signal);
    await eventually(async () => {
      const [row] = await bench.dataSource.query<{ scanned: string }[]>(
        'SELECT count(*) AS scanned FROM positions',
      );
      return Number(row?.scanned) > 0;
    }, 'borrowers in the database');
    stop.abort();

    const second = await whole();
    expect(second.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(second)).toEqual([]);
  });

  it('after a reorg that took the checkpoint away reads everybody again', async () => {
    const fork = await bench.devnet.snapshot();
    await bench.devnet.mine(2);
    const before = await whole();
    await before.store.flush();
    await bench.devnet.revert(fork);
    await bench.devnet.setPrice('WETH', 2_940n * USD8);
    await bench.devnet.mine(5);
    const after = engineOf();
    expect((await after.start()).markets[0]?.borrowerCount).toBe(0);
    await backfill(after);
    expect(after.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(after)).toEqual([]);
  });

  it('with a position in the database that is wrong: it is found, named, and put right', async () => {
    const before = await whole();
    await before.store.flush();
    const [{ account } = { account: '0x' as Address }] = await bench.dataSource
      .query<{ account: Address }[]>(
        `UPDATE positions SET state = (SELECT state FROM positions other WHERE other.account <> positions.account
         AND other.state <> positions.state LIMIT 1)
       WHERE account = (SELECT min(account) FROM positions) RETURNING account`,
      )
      .then((answer: unknown) => (answer as [{ account: Address }[]])[0]);
    const after = engineOf();
    await after.start();
    const found = await disagreements(after);
    expect(found).toMatchObject([{ market: 'aave', account }]);
    await after.engine.refresh('aave', [account]);
    expect(await disagreements(after)).toEqual([]);
  });
});

describe('the archive', () => {
  it('F19 down: the backfill pauses, live work goes on; back again: the backfill ends', async () => {
    const archive = await FakeRpc.start();
    try {
      archive.chainId = bench.devnet.chainId;
      archive.fault = { kind: 'status', status: 503 };
      const one = engineOf({ archiveUrl: archive.url('http') });
      await one.start();
      const running = one.engine.backfill.run(
        one.engine.targets,
        ignore,
        ignore,
        new AbortController().signal,
      );
      const borrower = await borrow();
      const view = await one.advance();
      expect(view.markets[0]?.positions.has(borrower)).toBe(true);
      expect(await disagreements(one)).toEqual([]);
      expect(one.engine.backfill.progressOf('aave')?.unread).toBe(0);
      expect(archive.requests).toBeGreaterThan(0);

      archive.on('eth_getLogs', () => []);
      archive.fault = undefined;
      await running;
      expect(one.engine.backfill.isFinished).toBe(true);
    } finally {
      await archive.stop();
    }
  });
});

function engineOf(settings: EngineSettings = {}): Engine {
  const one = bench.engine(settings);
  open.push(one);
  return one;
}

async function whole(settings: EngineSettings = {}): Promise<Engine> {
  const one = engineOf(settings);
  await one.startWhole();
  return one;
}

async function backfill({ engine }: Engine): Promise<void> {
  await engine.backfill.run(engine.targets, ignore, ignore, new AbortController().signal);
}

/** A new borrower, in a block of his own. */
async function borrow(times = 1n): Promise<Address> {
  const debts = LOAN.debts.map(({ symbol, amount }) => ({ symbol, amount: amount * times }));
  return toAddress(await bench.devnet.openPosition({ collaterals: [...LOAN.collaterals], debts }));
}
