import { describe, expect, it } from 'vitest';
import { aaveView } from '../../testing/aave-state.js';
import { TestClock } from '../../testing/fakes/test-clock.js';
import { eventually } from '../../testing/eventually.js';
import { sendFrom } from '../../testing/transactions.js';
import { HaltError } from '../domain/errors.js';
import { addressAt, toAddress, type Address, type Hash } from '../domain/hex.js';
import { USD8, WAD } from '../domain/money.js';
import { priceCalls } from '../protocols/aave-v3/comparison.js';
import { AaveV3Reader } from '../protocols/aave-v3/aave-v3.reader.js';
import type { AccountData } from '../protocols/aave-v3/health.js';
import type { RawLog } from '../rpc/chain/chain-answers.js';
import { BORROWERS, type Engine, disagreements, ignore, viewOf, stateSpec } from '../../testing/state.js';

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

  it('applies a change of the risk parameters', async () => {
    const one = await spec.whole();
    const { poolConfigurator } = spec.bench.devnet.contracts;
    const weth = spec.bench.devnet.tokens.WETH.address;
    const signer = spec.bench.devnet.signer(spec.bench.devnet.accounts.deployer);
    await poolConfigurator.connect(signer).getFunction('configureReserveAsCollateral')(
      weth,
      7_000,
      7_500,
      10_600,
    );
    const view = await one.advance();
    const reserve = [...aaveView(view).market.reserves.values()].find(({ symbol }) => symbol === 'WETH');
    expect(reserve?.liquidationThresholdBps).toBe(7_500n);
    expect(await disagreements(one)).toEqual([]);
  });

  it('books the interest of the collateral in a liquidation paid in aTokens, which emits no log of it', async () => {
    const one = await spec.whole();
    await spec.bench.devnet.increaseTime(86_400);
    await spec.bench.devnet.setPrice('WETH', 2_000n * USD8);
    const view = await one.advance();
    const [victim] = [...aaveView(view).positions.values()].filter(
      ({ data }) => 'legs' in data && data.healthFactorWad < WAD && holds(data, 'WETH') && owes(data, 'USDC'),
    );
    if (!victim) throw new Error('a liquidatable position was expected');
    await liquidateForATokens(victim.account.address);
    const { market, conditions } = aaveView(await one.advance());
    const provider = toAddress(spec.bench.devnet.addresses.addressesProvider);
    const onChain = await new AaveV3Reader(one.chain).market('aave', provider, viewOf(one.engine).block.hash);
    expect(market.reserves).toEqual(onChain.reserves);
    const weth = [...onChain.reserves.values()].find(({ symbol }) => symbol === 'WETH');
    expect(weth?.indexes.updatedAt).toBe(conditions.timestamp);
  });

  it.each([5, 11])(
    'is compared with the chain in turns when one comparison holds only %i accounts',
    async (budget) => {
      const one = await spec.whole();
      const compared = new Set<Address>();
      const passes = Math.ceil(BORROWERS / (budget - Math.floor(budget / 10)));
      for (let pass = 0; pass < passes; pass += 1)
        for (const address of accountsToCompare(one, budget)) compared.add(address);
      expect(compared.size).toBe(BORROWERS);
    },
  );

  it('marks the asset whose price moved more than the guard allows in one block, for that block only', async () => {
    const one = await spec.whole();
    await spec.bench.devnet.setPrice('cbBTC', 50_000n * USD8);
    const jumped = [toAddress(spec.bench.devnet.tokens.cbBTC.address)];
    expect([...aaveView(await one.advance()).jumped]).toEqual(jumped);
    await spec.bench.devnet.mine();
    expect(aaveView(await one.advance()).jumped.size).toBe(0);
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
    const proxy = spec.bench.devnet
      .feed('WETH')
      .connect(spec.bench.devnet.signer(spec.bench.devnet.accounts.deployer));
    await proxy.getFunction('proposeAggregator')(cbBTC.aggregator);
    await proxy.getFunction('confirmAggregator')(cbBTC.aggregator);
    const view = await one.advance();
    const prices = aaveView(view).conditions.prices;
    expect(prices.get(toAddress(WETH.address))).toBe(prices.get(toAddress(cbBTC.address)));
    await spec.bench.devnet.setPrice('cbBTC', 95_000n * USD8);
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
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
    await one.advance();
    await spec.bench.devnet.mine();
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
  });

  it('F11 refuses logs that lack one a WebSocket delivered, and halts when no endpoint ever has it', async () => {
    const heard = new Map<Hash, RawLog[]>();
    const clock = new TestClock();
    const delivered = { listenTo: ignore, heard: (hash: Hash) => heard.get(hash) ?? [] };
    const one = spec.engineOf({ delivered, clock });
    await one.startWhole();
    await spec.borrow();
    const head = await one.chain.getBlock('latest');
    const [log] = await one.chain.getLogs(
      { blockHash: head.hash },
      [toAddress(spec.bench.devnet.addresses.pool)],
      [],
    );
    if (!log) throw new Error('a log was expected');
    heard.set(head.hash, [{ ...log, logIndex: 9_999 }]);
    await expect(one.advance(head)).rejects.toThrow('lacks');

    // A log that one endpoint invented must not stop the bot for ever. The halt informs the operator, and
    // from then on the chain's logs count.
    await spec.bench.devnet.mine();
    await expect(one.advance()).rejects.toThrow('lacks');
    clock.advance(31_000);
    await expect(one.advance()).rejects.toBeInstanceOf(HaltError);
    await one.advance();
    expect(await disagreements(one)).toEqual([]);
  });
});

/** The accounts of the next comparison, with this many calls besides those for prices. */
function accountsToCompare({ engine, market }: Engine, budget: number): Address[] {
  const view = aaveView(viewOf(engine));
  const { calls } = market.comparison(view, budget + priceCalls(view));
  const accounts = calls
    .filter(({ to }) => to === view.market.pool)
    .map(({ data }) => addressAt(`0x${data.slice(10)}`, 0));
  expect(accounts.length).toBeLessThanOrEqual(budget);
  return accounts;
}

function holds({ legs }: AccountData, symbol: string): boolean {
  return legs.some(({ reserve, collateral }) => reserve.symbol === symbol && collateral > 0n);
}

function owes({ legs }: AccountData, symbol: string): boolean {
  return legs.some(({ reserve, debt }) => reserve.symbol === symbol && debt > 0n);
}

/** The trader repays some of a borrower's dollars and takes aTokens of its ether. */
async function liquidateForATokens(borrower: Address): Promise<void> {
  const { devnet } = spec.bench;
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
