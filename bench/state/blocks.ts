/** A block full of Aave's logs, from its logs to the next view. */
import { isDeepStrictEqual } from 'node:util';
import type { Block } from '../../src/domain/block.js';
import { uintWord, type Address } from '../../src/domain/hex.js';
import { hasDebt, type AaveAccount } from '../../src/protocols/aave-v3/market.js';
import type { Chain } from '../../src/rpc/chain/chain.js';
import { readAt } from '../../src/rpc/chain/read.js';
import type { AaveV3Market } from '../../src/protocols/aave-v3/aave-v3-market.js';
import type { AaveMarketView } from '../../src/protocols/aave-v3/at-risk.js';
import { percentile } from '../../devnet/demo/totals.js';
import { Ledger, type LedgerBlock } from './ledger.js';
import { EVENTS } from './logs.js';
import { differences, measurement, timed, type GroupOptions, type Measurement } from './measurement.js';
import { SyntheticChain, syntheticState } from './tracked.js';
import { accountsOf, isBelowOne, syntheticWorld } from './world.js';

const POSITIONS = 100_000;
const RELEVANT_LOGS = 200;
const BLOCKS = 400;
/** Not measured: in the first blocks the engine still compiles the code. */
const WARM_UP = 60;
/** The baseline is slow, so it runs over fewer blocks. */
const BASELINE_BLOCKS = 40;

export async function blocks({ progress }: GroupOptions): Promise<Measurement[]> {
  progress(`making ${BLOCKS} blocks of ${RELEVANT_LOGS} logs for ${POSITIONS} positions`);
  const world = syntheticWorld();
  const accounts = [...accountsOf(world, POSITIONS)];
  const ledger = new Ledger(world, accounts);
  const made = Array.from({ length: WARM_UP + BLOCKS }, () => ledger.block(RELEVANT_LOGS));

  progress('applying them');
  let current = made[0];
  const chain = new SyntheticChain(world);
  const start = blockOf(0, world.conditions.timestamp);
  const { feeds, market } = await syntheticState(
    world,
    chain,
    start,
    accounts,
    (address) => current?.after.get(address) ?? raise(address),
  );
  let view = await viewAt(market, chain, start);
  const times: number[] = [];
  for (const [index, next] of made.entries()) {
    current = next;
    const block = blockOf(index + 1, next.timestamp);
    const begin = performance.now();
    const step = await market.prepare(block, next.logs, () => Promise.resolve(next.logs));
    feeds.commit(await feeds.prepare(block, next.logs));
    market.commit(step, block);
    market.takeChanges();
    view = await viewAt(market, chain, block);
    if (index >= WARM_UP) times.push(performance.now() - begin);
  }
  check(market, view, ledger, made);

  progress('the same with ethers');
  const plain = made.slice(WARM_UP, WARM_UP + BASELINE_BLOCKS).map((each) => plainly(each, ledger));
  return [
    measurement('block.positions', view.borrowerCount, 'positions'),
    measurement('block.logs', made.reduce((sum, { logs }) => sum + logs.length, 0) / made.length, 'logs'),
    measurement('block.p50', percentile(times, 50), 'ms', percentile(plain, 50)),
    measurement('block.p99', percentile(times, 99), 'ms', percentile(plain, 99)),
  ];
}

async function viewAt(market: AaveV3Market, chain: Chain, block: Block): Promise<AaveMarketView> {
  return market.view(await readAt(chain, market.reads(block), block.hash));
}

/** @throws Error when a position differs from the ledger */
function check(
  market: AaveV3Market,
  view: AaveMarketView,
  ledger: Ledger,
  made: readonly LedgerBlock[],
): void {
  const touched = new Set<Address>(made.flatMap(({ after }) => [...after.keys()]));
  const wrong = [...touched].filter((address) => {
    const expected = ledger.books.account(address);
    return !isDeepStrictEqual(market.account(address), hasDebt(expected) ? expected : undefined);
  });
  if (wrong.length > 0)
    throw new Error(`${wrong.length} of ${touched.size} positions are not as they should be`);
  const { borrowers, world } = ledger.books;
  if (view.borrowerCount !== borrowers.length)
    throw new Error(`${view.borrowerCount} borrowers are followed, there are ${borrowers.length}`);
  const below = borrowers.filter((account) => isBelowOne(world.market, account, world.conditions));
  const misjudged = differences(new Set(view.positions.keys()), new Set(below.map(({ address }) => address)));
  if (misjudged > 0) throw new Error(`after the blocks ${misjudged} positions were misjudged`);
}

/**
 * Milliseconds of the baseline: every log parsed by ethers, and the exact health factor of every account in
 * the block.
 */
function plainly({ logs, after }: LedgerBlock, { books: { world } }: Ledger): number {
  const touched: readonly AaveAccount[] = [...after.values()];
  return timed(() => {
    for (const log of logs) if (!EVENTS.parseLog(log)) throw new Error('ethers does not know a log');
    for (const account of touched) isBelowOne(world.market, account, world.conditions);
  });
}

function blockOf(number: number, timestamp: number): Block {
  const hash = (one: number): `0x${string}` => `0x${uintWord(one + 1)}`;
  return { number, hash: hash(number), parentHash: hash(number - 1), timestamp, baseFeePerGas: 0n };
}

function raise(address: Address): never {
  throw new Error(`${address} was read, and did nothing in this block`);
}
