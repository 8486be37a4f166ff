import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { demoBorrowers } from '../../devnet/index.js';
import { eventually } from '../../test/harness/eventually.js';
import { sendFrom } from '../../test/harness/transactions.js';
import { HaltError } from '../domain/errors.js';
import { toAddress, type Address, type Hash } from '../domain/hex.js';
import { USD8, WAD } from '../domain/money.js';
import { AaveV3Reader } from '../protocols/aave-v3/aave-v3.reader.js';
import type { AccountData } from '../protocols/aave-v3/health.js';
import type { RawLog } from '../rpc/chain-answers.js';
import { RING_BLOCKS } from './block-ring.js';
import {
  disagreements,
  ignore,
  StateBench,
  viewOf,
  type Engine,
  type EngineSettings,
} from './state.fixture.js';

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

describe('the picture', () => {
  it('begins empty and live, and has everybody once the backfill is through', async () => {
    const one = engineOf();
    expect((await one.start()).markets[0]?.borrowerCount).toBe(0);
    await bench.devnet.mine();
    await one.advance();
    await backfill(one);
    expect(one.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(one)).toEqual([]);
  });

  it('is at one block after each head, and agrees with the chain there', async () => {
    const one = await whole();
    for (let step = 0; step < 3; step += 1) {
      await bench.devnet.setPrice('WETH', 2_900n * USD8 - BigInt(step) * 100n * USD8);
      const view = await one.advance();
      expect(view.block.hash).toBe((await one.chain.getBlock('latest')).hash);
      expect(await disagreements(one)).toEqual([]);
    }
  });

  it('follows a new borrower from the block of the first loan on', async () => {
    const one = await whole();
    const borrower = await borrow();
    expect((await one.advance()).markets[0]?.positions.has(borrower)).toBe(true);
    expect(await disagreements(one)).toEqual([]);
  });

  it('is not changed for a reader while the next block is being applied', async () => {
    const one = await whole();
    const before = viewOf(one.engine);
    const copy = structuredClone([...(before.markets[0]?.positions ?? [])].map(([, { account }]) => account));
    await bench.devnet.setPrice('WETH', 2_000n * USD8);
    const borrower = await borrow();
    const advancing = one.advance();
    await eventually(() => {
      expect(one.engine.view === before || viewOf(one.engine).markets[0]?.positions.has(borrower)).toBe(true);
      return one.engine.view !== before;
    }, 'the next view');
    await advancing;
    expect([...(before.markets[0]?.positions ?? [])].map(([, { account }]) => account)).toEqual(copy);
    expect(before.markets[0]?.positions.has(borrower)).toBe(false);
  });

  it('takes in a change of the risk parameters', async () => {
    const one = await whole();
    const { poolConfigurator } = bench.devnet.contracts;
    const weth = bench.devnet.tokens.WETH.address;
    const signer = bench.devnet.signer(bench.devnet.accounts.deployer);
    await poolConfigurator.connect(signer).getFunction('configureReserveAsCollateral')(
      weth,
      7_000,
      7_500,
      10_600,
    );
    const view = await one.advance();
    const reserve = [...(view.markets[0]?.market.reserves.values() ?? [])].find(
      ({ symbol }) => symbol === 'WETH',
    );
    expect(reserve?.liquidationThresholdBps).toBe(7_500n);
    expect(await disagreements(one)).toEqual([]);
  });

  it('knows that a liquidation paid in aTokens books the interest of the collateral without saying so', async () => {
    const one = await whole();
    await bench.devnet.increaseTime(86_400);
    await bench.devnet.setPrice('WETH', 2_000n * USD8);
    const view = await one.advance();
    const [victim] = [...(view.markets[0]?.positions.values() ?? [])].filter(
      ({ data }) => 'legs' in data && data.healthFactorWad < WAD && holds(data, 'WETH') && owes(data, 'USDC'),
    );
    if (!victim) throw new Error('a liquidatable position was expected');
    await liquidateForATokens(victim.account.address);
    const { market, conditions } = (await one.advance()).markets[0] ?? {};
    const provider = toAddress(bench.devnet.addresses.addressesProvider);
    const onChain = await new AaveV3Reader(one.chain).market('aave', provider, viewOf(one.engine).block.hash);
    expect(market?.reserves).toEqual(onChain.reserves);
    const weth = [...onChain.reserves.values()].find(({ symbol }) => symbol === 'WETH');
    expect(weth?.indexes.updatedAt).toBe(conditions?.timestamp);
  });

  it('marks the asset whose price moved more than the guard allows in one block, for that block only', async () => {
    const one = await whole();
    await bench.devnet.setPrice('cbBTC', 50_000n * USD8);
    const jumped = [toAddress(bench.devnet.tokens.cbBTC.address)];
    expect([...((await one.advance()).markets[0]?.jumped ?? [])]).toEqual(jumped);
    await bench.devnet.mine();
    expect((await one.advance()).markets[0]?.jumped.size).toBe(0);
  });

  it('asks nothing of the chain for a block without a log of its markets and feeds', async () => {
    const one = await whole();
    await bench.devnet.mine();
    const head = await one.chain.getBlock('latest');
    one.calls();
    await one.engine.advance(head);
    expect(one.calls()).toBe(0);
    expect(await disagreements(one)).toEqual([]);
  });

  it('learns a price from the log of its feed alone', async () => {
    const one = await whole();
    await bench.devnet.setPrice('WETH', 2_800n * USD8);
    const head = await one.chain.getBlock('latest');
    one.calls();
    await one.engine.advance(head);
    expect(one.calls()).toBe(1); // the block's logs
    expect(await disagreements(one)).toEqual([]);
  });

  it('follows a feed that says it was given another aggregator', async () => {
    const one = await whole();
    const { WETH, cbBTC } = bench.devnet.tokens;
    const proxy = bench.devnet.feed('WETH').connect(bench.devnet.signer(bench.devnet.accounts.deployer));
    await proxy.getFunction('proposeAggregator')(cbBTC.aggregator);
    await proxy.getFunction('confirmAggregator')(cbBTC.aggregator);
    const view = await one.advance();
    const prices = view.markets[0]?.conditions.prices;
    expect(prices?.get(toAddress(WETH.address))).toBe(prices?.get(toAddress(cbBTC.address)));
    await bench.devnet.setPrice('cbBTC', 95_000n * USD8);
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
  });

  it('asks a feed from the block on in which it was found to say nothing about another aggregator', async () => {
    const one = await whole();
    const { WETH, cbBTC } = bench.devnet.tokens;
    // phaseId and aggregator share the proxy's first slot.
    const slot = `0x${cbBTC.aggregator.slice(2).padStart(60, '0')}0001`.toLowerCase();
    await bench.devnet.rpc('anvil_setStorageAt', [WETH.feed, `0x${'0'.repeat(64)}`, slot]);
    await bench.devnet.mine();
    await one.advance();
    const asset = toAddress(WETH.address);
    expect(await disagreements(one)).toMatchObject([{ market: 'aave', asset }]);
    one.engine.distrust('aave', asset);
    await bench.devnet.mine();
    await one.advance();
    await bench.devnet.mine();
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
  });

  it('F11 does not take logs for a block that lack one which was heard, and halts when no endpoint ever has it', async () => {
    const heard = new Map<Hash, RawLog[]>();
    const one = engineOf({ ears: { listenTo: ignore, heard: (hash) => heard.get(hash) ?? [] } });
    await one.startWhole();
    await borrow();
    const head = await one.chain.getBlock('latest');
    const [log] = await one.chain.getLogs(
      { blockHash: head.hash },
      [toAddress(bench.devnet.addresses.pool)],
      [],
    );
    if (!log) throw new Error('a log was expected');
    heard.set(head.hash, [{ ...log, logIndex: 9_999 }]);
    await expect(one.engine.advance(head)).rejects.toThrow('lacks');

    // What an endpoint has invented must not stop the bot for ever: an operator is told, and the chain's word counts.
    await bench.devnet.mine();
    await expect(one.advance()).rejects.toThrow('lacks');
    const later = clockAheadBy(31_000);
    const now = vi.spyOn(performance, 'now').mockImplementation(later);
    await expect(one.advance()).rejects.toBeInstanceOf(HaltError);
    now.mockRestore();
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
  });
});

describe('a chain that thinks again', () => {
  it('F15 is followed back and forth by what the ring keeps: positions, prices, new borrowers', async () => {
    const one = await whole();
    const fork = await bench.devnet.snapshot();
    const { number } = await one.chain.getBlock('latest');
    await bench.devnet.setPrice('WETH', 2_500n * USD8);
    await one.advance();
    const gone = await borrow();
    await one.advance();
    await bench.devnet.mine(2);
    const { block: tip } = await one.advance();
    const blocks = await one.chain.getBlocks(number + 1, tip.number);
    expect(viewOf(one.engine).markets[0]?.positions.has(gone)).toBe(true);
    expect(one.engine.takenBack()).toEqual([]);

    await bench.devnet.revert(fork);
    await bench.devnet.setPrice('WETH', 2_990n * USD8);
    const fresh = await borrow(2n);
    await bench.devnet.mine(3);
    one.calls();
    const view = await one.advance();
    // Headers of both looks back, logs, prices and the two who were read: not everybody again.
    expect(one.calls()).toBeLessThan(30);
    expect(view.markets[0]?.positions.has(fresh)).toBe(true);
    expect(one.engine.positionCount).toBe(BORROWERS + 1);
    expect(await disagreements(one)).toEqual([]);
    expect(one.engine.takenBack()).toEqual(blocks.map(({ hash }) => hash).reverse());
    expect(one.engine.takenBack()).toEqual([]);
  });

  it('F15 is followed when the new branch is shorter so far, and when positions came in from the backfill meanwhile', async () => {
    const one = engineOf();
    await one.start();
    const fork = await bench.devnet.snapshot();
    await bench.devnet.mine(4);
    await one.advance();
    await backfill(one);
    await bench.devnet.revert(fork);
    await bench.devnet.setPrice('cbBTC', 91_000n * USD8);
    await bench.devnet.mine(1);
    await one.advance();
    expect(one.engine.positionCount).toBe(BORROWERS);
    expect(await disagreements(one)).toEqual([]);
  });

  it('F16 halts when it goes back beyond the ring, and everybody is read again', async () => {
    const one = await whole();
    const fork = await bench.devnet.snapshot();
    await bench.devnet.mine(2);
    await one.advance();
    for (let block = 0; block < RING_BLOCKS + 1; block += 1) {
      await bench.devnet.mine();
      await one.advance();
    }
    await bench.devnet.revert(fork);
    await borrow();
    await bench.devnet.mine(RING_BLOCKS + 4);
    const tip = viewOf(one.engine).block.hash;
    await expect(one.advance()).rejects.toThrow(/left ours before block \d+/);
    expect(one.engine.takenBack()).toContain(tip);
    expect(one.engine.backfill.isFinished).toBe(false);
    await backfill(one);
    await bench.devnet.mine();
    await one.advance();
    expect(one.engine.positionCount).toBe(BORROWERS + 1);
    expect(await disagreements(one)).toEqual([]);
  });

  it('F14 is not followed by a head that comes late; a gap is closed block by block', async () => {
    const one = await whole();
    await bench.devnet.setPrice('WETH', 2_950n * USD8);
    const late = await one.chain.getBlock('latest');
    await borrow();
    await bench.devnet.increaseTime(3_600);
    await bench.devnet.mine(3);
    const view = await one.advance();
    expect(view.markets[0]?.positions.size).toBe(BORROWERS + 1);
    expect(await disagreements(one)).toEqual([]);
    expect((await one.engine.advance(late)).block.hash).toBe(view.block.hash);
  });

  it('is caught up with after a silence too long to walk', async () => {
    const one = await whole();
    await bench.devnet.rpc('anvil_mine', ['0x259']);
    await borrow();
    await bench.devnet.mine(2);
    await one.advance();
    expect(one.engine.positionCount).toBe(BORROWERS + 1);
    expect(await disagreements(one)).toEqual([]);
  });
});

/** The clock, ahead. */
function clockAheadBy(milliseconds: number): () => number {
  const real = performance.now.bind(performance);
  return () => real() + milliseconds;
}

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

function holds({ legs }: AccountData, symbol: string): boolean {
  return legs.some(({ reserve, collateral }) => reserve.symbol === symbol && collateral > 0n);
}

function owes({ legs }: AccountData, symbol: string): boolean {
  return legs.some(({ reserve, debt }) => reserve.symbol === symbol && debt > 0n);
}

/** Some of a borrower's dollars repaid by the trader, who takes the ether's aTokens. */
async function liquidateForATokens(borrower: Address): Promise<void> {
  const { devnet } = bench;
  const { deployer, trader } = devnet.accounts;
  const { WETH, USDC } = devnet.tokens;
  const token = devnet.token('USDC').interface;
  const amount = 50n * 10n ** 6n;
  const pool = devnet.contracts.aavePool.interface;
  const liquidation = [WETH.address, USDC.address, borrower, amount, true];
  const to = USDC.address;
  await sendFrom(devnet, deployer, { to, data: token.encodeFunctionData('mint', [trader, amount]) });
  await sendFrom(devnet, trader, {
    to,
    data: token.encodeFunctionData('approve', [devnet.addresses.pool, amount]),
  });
  await sendFrom(devnet, trader, {
    to: devnet.addresses.pool,
    data: pool.encodeFunctionData('liquidationCall(address,address,address,uint256,bool)', liquidation),
  });
}
