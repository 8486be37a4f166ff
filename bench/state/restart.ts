/** From a restart to the first correct view, with the positions out of Postgres. */
import type { Address } from '../../src/domain/hex.js';
import type { AaveAccount } from '../../src/protocols/aave-v3/market.js';
import { conditionsRead } from '../../src/protocols/aave-v3/reads.js';
import { readAt } from '../../src/rpc/chain/read.js';
import type { AaveMarketView } from '../../src/protocols/aave-v3/at-risk.js';
import { encodeAccount } from '../../src/protocols/aave-v3/stored-account.js';
import { aaveView } from '../../testing/aave-state.js';
import { LocalBench } from './local.js';
import { differences, measurement, timedAsync, type GroupOptions, type Measurement } from './measurement.js';
import { accountsOf, isBelowOne } from './world.js';

const POSITIONS = 100_000;
/** The chain went on while the bot was away. */
const BLOCKS_MISSED = 10;
/** Read from the chain for the baseline, as many at once as the backfill reads; the rest is reckoned. */
const READ = 2_000;
const AT_ONCE = 500;

export async function restart({ progress }: GroupOptions): Promise<Measurement[]> {
  progress('starting a chain and a database');
  const bench = await LocalBench.start();
  try {
    progress(`storing ${POSITIONS} positions`);
    const accounts = await store(bench);
    await bench.devnet.mine(BLOCKS_MISSED);

    progress('restarting');
    const block = await bench.head();
    const before = performance.now();
    const { engine, reader, close } = bench.engine();
    const view = aaveView(await engine.start(block));
    const milliseconds = performance.now() - before;
    const liquidatable = check(view, accounts);

    progress(`reading ${READ} positions from the chain instead`);
    const { market } = view;
    const addresses = accounts.slice(0, READ).map(({ address }) => address);
    const reading = await timedAsync(async () => {
      for (let first = 0; first < READ; first += AT_ONCE)
        await reader.accounts(market, addresses.slice(first, first + AT_ONCE), block.hash);
    });
    await close();
    return [
      measurement('restart.positions', view.borrowerCount, 'positions'),
      measurement('restart.liquidatable', liquidatable, 'positions'),
      measurement('restart.toFirstView', milliseconds, 'ms', (reading * POSITIONS) / READ),
    ];
  } finally {
    await bench.stop();
  }
}

/** As a bot that ran up to the latest block leaves them. */
async function store(bench: LocalBench): Promise<AaveAccount[]> {
  const { store, chain, reader, close } = bench.engine();
  const { name, addressesProvider } = bench.protocol;
  const block = await bench.head();
  const market = await reader.market(name, addressesProvider, block.hash);
  const conditions = await readAt(chain, conditionsRead(market, block.timestamp), block.hash);
  const accounts = [...accountsOf({ market, conditions }, POSITIONS)];
  await store.saveHistory(name, [], { scannedTo: block.number, goal: block.number });
  store.note(name, block, {
    changed: accounts.map((account) => ({ account: account.address, state: encodeAccount(account) })),
    gone: [],
  });
  await close();
  return accounts;
}

/** @throws Error when the view does not have exactly those below 1. */
function check(
  { market, conditions, positions, borrowerCount }: AaveMarketView,
  accounts: readonly AaveAccount[],
): number {
  if (borrowerCount !== accounts.length)
    throw new Error(`${borrowerCount} of ${accounts.length} positions came back`);
  const below = accounts.filter((account) => isBelowOne(market, account, conditions));
  const exact = new Set<Address>(below.map(({ address }) => address));
  const misjudged = differences(new Set(positions.keys()), exact);
  if (misjudged > 0) throw new Error(`after the restart ${misjudged} positions were misjudged`);
  return exact.size;
}
