import { id } from 'ethers';
import { describe, expect, it } from 'vitest';
import { aaveView } from '../../../testing/aave-state.js';
import { contractAnswers, withWord } from '../../../testing/nodes/lies.js';
import { LyingNode } from '../../../testing/nodes/lying-node.js';
import { send } from '../../../testing/send.js';
import { BORROWERS, disagreements, stateSpec, viewOf, type Engine } from '../../../testing/state.js';
import { sendFrom } from '../../../testing/transactions.js';
import { addressAt, toAddress, type Address } from '../../domain/hex.js';
import { USD8, WAD } from '../../domain/money.js';
import { initialPrices } from '../../../devnet/index.js';
import { AaveV3Reader } from './aave-v3.reader.js';
import type { AaveMarketView } from './at-risk.js';
import { readAt } from '../../rpc/chain/read.js';
import { otherCalls } from './comparison.js';
import { accountData, type AccountData } from './health.js';
import { accountDataRead } from './reads.js';

const spec = stateSpec();

describe('an Aave market that is followed by its logs', () => {
  it('applies a change of the risk parameters', async () => {
    const one = await spec.whole();
    const { devnet } = spec.bench;
    const { deployer } = devnet.accounts;
    const { poolConfigurator } = devnet.contracts;
    const weth = devnet.tokens.WETH.address;
    const parameters = [weth, 7_000, 7_500, 10_600];
    await send(devnet, deployer, poolConfigurator, 'configureReserveAsCollateral', ...parameters);
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

  it('F42 amounts of a new borrower that one endpoint invents do not enter the books, until it is honest again', async () => {
    const { devnet } = spec.bench;
    const liar = await LyingNode.start({ http: devnet.rpcUrl, ws: devnet.wsUrl });
    try {
      const one = await spec.whole({ primaryUrl: liar.httpUrl, backupUrl: devnet.rpcUrl });
      const balance = id('scaledBalanceOf(address)').slice(0, 10);
      liar.lie = contractAnswers(
        ({ data }) => data.startsWith(balance),
        (data) => withWord(data, 0, (value) => 2n * value),
      );
      const borrower = await spec.borrow();
      await one.advance();
      expect(liar.lies).toBeGreaterThan(0);
      expect(one.market.has(borrower)).toBe(false);
      liar.lie = undefined;
      await devnet.mine();
      await one.advance();
      expect(one.market.has(borrower)).toBe(true);
      expect(await disagreements(one)).toEqual([]);
    } finally {
      await liar.stop();
    }
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

  it('F34 keeps every position exact while an asset has a price of 0, compares the others, and goes on after it', async () => {
    const one = await spec.whole();
    const { devnet } = spec.bench;
    const held = positionsWith(aaveView(viewOf(one.engine)), 'cbETH');
    expect(held.length).toBeGreaterThan(0);
    const aggregator = devnet.aggregator('cbETH');
    const answer = (usd8: bigint) => send(devnet, devnet.accounts.deployer, aggregator, 'setAnswer', usd8);
    await answer(0n);
    const view = aaveView(await one.advance());
    const missing = [...view.positions.values()].filter(({ data }) => 'priceMissing' in data);
    expect(missing.map(({ account }) => account.address).toSorted()).toEqual(held);
    const [compared] = await one.engine.compare(viewOf(one.engine), { calls: 500, chunk: 250 });
    expect(compared?.found).toMatchObject({ divergences: [], wrongPrices: [] });
    expect(compared?.found.compared).toHaveLength(one.engine.positionCount - held.length);
    await answer(initialPrices().cbETH);
    expect(positionsWith(aaveView(await one.advance()), 'cbETH')).toEqual(held);
    expect(await disagreements(one)).toEqual([]);
  });

  it('tells the second at which interest alone opens a position, before it does, as the chain then has it', async () => {
    const one = await spec.whole();
    const { devnet } = spec.bench;
    const [chosen] = [...aaveView(viewOf(one.engine)).positions.values()].filter(
      ({ data }) => 'legs' in data && data.legs.length === 2 && holds(data, 'WETH') && owes(data, 'USDC'),
    );
    if (!chosen || 'priceMissing' in chosen.data)
      throw new Error('a position of ether and dollars was expected');
    const { address } = chosen.account;
    const { market, conditions } = aaveView(viewOf(one.engine));
    const later = accountData(market, chosen.account, {
      ...conditions,
      timestamp: conditions.timestamp + 12,
    });
    if ('priceMissing' in later) throw new Error('every price was expected');
    // With this price its health factor is 1 in twelve seconds.
    const { priceUsd8 = 0n } = later.legs.find(({ reserve }) => reserve.symbol === 'WETH') ?? {};
    const almost = (priceUsd8 * WAD) / later.healthFactorWad + 1n;
    await send(devnet, devnet.accounts.deployer, devnet.aggregator('WETH'), 'setAnswer', almost);
    const view = aaveView(await one.advance());
    const limits = { maxNotionalUsd8: 10n ** 20n, fundingHorizonSeconds: 60 };
    const opening = [...view.aboutToOpen(limits)].find(({ borrower }) => borrower === address);
    if (!opening) throw new Error('the position was expected to be about to open');
    const { opensAt } = opening.schedule;
    expect(opensAt).toBeGreaterThan(view.conditions.timestamp + 1);
    expect(opening.healthFactorWad).toBeLessThan(WAD);
    expect(opening.pairs.some(({ candidates }) => candidates.length > 0)).toBe(true);
    const healthAt = async (timestamp: number): Promise<bigint | undefined> => {
      await devnet.mineBlock([], timestamp);
      const { block } = await one.advance();
      const read = accountDataRead(view.market, address);
      return (await readAt(one.chain, read, block.hash))?.healthFactorWad;
    };
    expect(await healthAt(opensAt - 1)).toBeGreaterThanOrEqual(WAD);
    expect(await healthAt(opensAt)).toBe(opening.healthFactorWad);
  });

  it('gives the positions near the edge with all that they hold, as the market values them', async () => {
    const view = aaveView(viewOf((await spec.whole()).engine));
    const belowWad = (3n * WAD) / 2n;
    const expected = [...view.positions.values()].flatMap(({ account: { address }, data }) =>
      'priceMissing' in data || data.healthFactorWad >= belowWad ? [] : [{ address, data }],
    );
    expect(expected.length).toBeGreaterThan(0);
    const near = new Map([...view.near(belowWad)].flatMap((one) => (one ? [[one.borrower, one]] : [])));
    expect([...near.keys()].toSorted()).toEqual(expected.map(({ address }) => address).toSorted());
    for (const { address, data } of expected) {
      const { healthFactorWad, totalCollateralUsd8, totalDebtUsd8 } = data;
      const one = near.get(address);
      expect(one).toMatchObject({ healthFactorWad, totalCollateralUsd8, totalDebtUsd8 });
      const sum = (of: typeof one = one, side: 'collaterals' | 'debts' = 'debts'): bigint =>
        (of?.[side] ?? []).reduce((total, { valueUsd8 }) => total + valueUsd8, 0n);
      expect([sum(one, 'collaterals'), sum(one, 'debts')]).toEqual([totalCollateralUsd8, totalDebtUsd8]);
    }
  });

  it('marks the asset whose price moved more than the guard allows in one block, for that block only', async () => {
    const one = await spec.whole();
    await spec.bench.devnet.setPrice('cbBTC', 50_000n * USD8);
    const jumped = [toAddress(spec.bench.devnet.tokens.cbBTC.address)];
    expect([...aaveView(await one.advance()).jumped]).toEqual(jumped);
    await spec.bench.devnet.mine();
    expect(aaveView(await one.advance()).jumped.size).toBe(0);
  });
});

/** The accounts of the next comparison, with this many calls besides all others. */
function accountsToCompare({ engine, market }: Engine, budget: number): Address[] {
  const view = aaveView(viewOf(engine));
  const { calls } = market.comparison(view, budget + otherCalls(view), []);
  const accounts = calls
    .filter(({ to }) => to === view.market.pool)
    .map(({ data }) => addressAt(`0x${data.slice(10)}`, 0));
  expect(accounts.length).toBeLessThanOrEqual(budget);
  return accounts;
}

/** The addresses of those that hold or owe the asset, all prices being known. */
function positionsWith({ positions }: AaveMarketView, symbol: string): Address[] {
  return [...positions.values()]
    .filter(({ data }) => 'legs' in data && data.legs.some(({ reserve }) => reserve.symbol === symbol))
    .map(({ account }) => account.address)
    .toSorted();
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
