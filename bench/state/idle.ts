/** What the chain is asked for a block in which nothing happened. */
import { toAddress } from '../../src/domain/hex.js';
import { accountDataRead } from '../../src/protocols/aave-v3/reads.js';
import { each, readAt } from '../../src/rpc/chain/read.js';
import { aaveView } from '../../testing/aave-state.js';
import { demoBorrowers, type Borrower, type TokenAmount } from '../../devnet/index.js';
import { LocalBench, type Engine } from './local.js';
import { measurement, type GroupOptions, type Measurement } from './measurement.js';

/** Real ones: each has supplied and borrowed on the chain. */
const BORROWERS = 10_000;
const SMALLER = 20n;
const OPENED_AT_ONCE = 1_000;
const BLOCKS = 20;
/** As the bot's comparison: what a node computes in one call, and what is compared at each block. */
const ACCOUNTS_PER_CALL = 250;
const READS_PER_BLOCK = 500;
const EVERYBODY_MS = 60_000;

export async function idle({ progress }: GroupOptions): Promise<Measurement[]> {
  progress('starting a chain and a database');
  const bench = await LocalBench.start();
  try {
    const borrowers = manyBorrowers();
    for (let opened = 0; opened < BORROWERS; opened += OPENED_AT_ONCE) {
      progress(`opening positions on the chain: ${opened} of ${BORROWERS}`);
      await bench.devnet.openPositions(borrowers.slice(opened, opened + OPENED_AT_ONCE));
    }
    progress('finding them');
    const one = bench.engine();
    await one.engine.start(await bench.head());
    await one.backfill.release();
    if (one.engine.positionCount !== BORROWERS)
      throw new Error(`${one.engine.positionCount} of ${BORROWERS} borrowers were found`);

    progress(`${BLOCKS} empty blocks`);
    const before = one.pool.calls;
    let compared = 0;
    for (let block = 0; block < BLOCKS; block++) {
      await bench.devnet.mine();
      const { view, error } = await one.engine.advance(await bench.head());
      if (!view) throw error ?? new Error('the head was not reached');
      for (const { found } of await one.engine.compare(view, {
        calls: READS_PER_BLOCK,
        chunk: ACCOUNTS_PER_CALL,
      })) {
        if (found.divergences.length + found.wrongPrices.length > 0)
          throw new Error('our books are not what the chain says');
        compared += found.compared.length;
      }
    }
    const calls = (one.pool.calls - before) / BLOCKS;
    progress('asking for every position instead');
    const forEveryPosition = await callsForEveryPosition(one);
    await one.close();
    return [
      measurement('idle.borrowers', one.engine.positionCount, 'positions'),
      measurement('idle.compared', compared / BLOCKS, 'positions/block', BORROWERS),
      measurement('idle.calls', calls, 'calls/block', forEveryPosition),
    ];
  } finally {
    await bench.stop();
  }
}

/** The demo's, each a little smaller, so that the pool has enough for all. */
function manyBorrowers(): Borrower[] {
  const smaller = <T extends TokenAmount>(each: T): T => ({ ...each, amount: each.amount / SMALLER });
  return demoBorrowers(BORROWERS).map((borrower) => ({
    ...borrower,
    collaterals: borrower.collaterals.map(smaller),
    debts: borrower.debts.map(smaller),
  }));
}

async function callsForEveryPosition({ engine, chain, pool }: Engine): Promise<number> {
  const { view } = engine;
  if (!view) throw new Error('the engine has no view');
  const first = aaveView(view);
  const borrowers = manyBorrowers().map(({ account }) => toAddress(account));
  const before = pool.calls;
  await readAt(
    chain,
    each(borrowers.map((account) => accountDataRead(first.market, account))),
    view.block.hash,
    {
      chunk: ACCOUNTS_PER_CALL,
      deadlineMs: EVERYBODY_MS,
    },
  );
  return pool.calls - before;
}
