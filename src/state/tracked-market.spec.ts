import { MaxUint256, type Contract } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoBorrowers, EMODE, startDevnet, type Devnet, type TokenSymbol } from '../../devnet/index.js';
import { chainOf } from '../../test/harness/chain.js';
import { configOf } from '../../test/harness/picture.js';
import { sendFrom } from '../../test/harness/transactions.js';
import type { Block } from '../domain/block.js';
import { toAddress, type Address } from '../domain/hex.js';
import { USD8 } from '../domain/money.js';
import { PriceGuard } from '../oracles/price-guard.js';
import { AaveV3Reader } from '../protocols/aave-v3/aave-v3.reader.js';
import { accountDataRead } from '../protocols/aave-v3/reads.js';
import type { Chain } from '../rpc/chain.js';
import { each, readAt } from '../rpc/read.js';
import type { RpcPool } from '../rpc/rpc-pool.js';
import type { MarketView } from './state-view.js';
import { TrackedMarket } from './tracked-market.js';

/** Above every health factor. */
const EVERYBODY = 2n ** 255n;

let devnet: Devnet;
let chain: Chain;
let pool: RpcPool;
let tracked: TrackedMarket;
let at: Block;
let borrowers: Address[];

beforeAll(async () => {
  devnet = await startDevnet();
  ({ chain, pool } = chainOf(devnet));
  borrowers = (await devnet.openPositions(demoBorrowers(20))).map(toAddress);
  const config = configOf(devnet);
  const [protocol] = config.protocols;
  if (!protocol) throw new Error('a protocol was expected');
  tracked = new TrackedMarket(chain, new AaveV3Reader(chain), new PriceGuard(config), protocol, EVERYBODY);
  at = await chain.getBlock('latest');
  await tracked.load(at);
  await tracked.snapshot(await tracked.borrowersIn(0, at.number), at);
});

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

describe('a market kept by its logs', () => {
  it('finds every borrower in the history, and nobody else', () => {
    expect([...tracked.borrowers].toSorted()).toEqual(borrowers.toSorted());
  });

  it('follows supply, withdrawal, debt, repayment, transfer, flags and e-mode of its accounts, block by block', async () => {
    const [first = '0x', second = '0x', third = '0x'] = borrowers;
    const steps: readonly (() => Promise<unknown>)[] = [
      () => supply(first, 'USDC', 900n * 10n ** 6n),
      () => call(first, devnet.contracts.aavePool, 'borrow', [address('USDC'), 10n ** 6n, 2, 0, first]),
      () => supply(second, 'WETH', 3n * 10n ** 18n),
      () =>
        call(second, devnet.contracts.aavePool, 'withdraw(address,uint256,address)', [
          address('WETH'),
          10n ** 17n,
          second,
        ]),
      () => supply(third, 'USDC', 5_000n * 10n ** 6n),
      () =>
        call(third, devnet.contracts.aavePool, 'setUserUseReserveAsCollateral(address,bool)', [
          address('USDC'),
          false,
        ]),
      () =>
        call(third, devnet.contracts.aavePool, 'setUserUseReserveAsCollateral(address,bool)', [
          address('USDC'),
          true,
        ]),
      () => sendToken(third, 'USDC', first, 250n * 10n ** 6n),
      () => repayAll(first),
      () =>
        devnet.openPosition({
          collaterals: [{ symbol: 'cbETH', amount: 10n ** 18n }],
          debts: [{ symbol: 'WETH', amount: 8n * 10n ** 17n }],
          eMode: EMODE.id,
        }),
      () => devnet.increaseTime(86_400 * 30),
    ];
    for (const step of steps) {
      await step();
      await catchUp();
    }
    expect(tracked.borrowers.size).toBe(borrowers.length + 1);
    expect((await catchUp()).positions.has(first)).toBe(false);
  });

  it('takes in a change of the risk parameters', async () => {
    const configurator = devnet.contracts.poolConfigurator;
    await call(devnet.accounts.deployer, configurator, 'configureReserveAsCollateral', [
      address('WETH'),
      7_000,
      7_500,
      10_600,
    ]);
    const view = await catchUp();
    const weth = [...view.market.reserves.values()].find(({ symbol }) => symbol === 'WETH');
    expect(weth?.liquidationThresholdBps).toBe(7_500n);
  });

  it('marks the asset whose price moved more than the guard allows in one block, for that block only', async () => {
    await devnet.setPrice('cbBTC', 50_000n * USD8);
    expect([...(await catchUp()).jumped]).toEqual([address('cbBTC').toLowerCase()]);
    await devnet.mine();
    expect((await catchUp()).jumped.size).toBe(0);
  });

  it('closes a gap of many blocks by the logs of the range', async () => {
    await supply(borrowers[4] ?? '0x', 'WETH', 10n ** 18n);
    await devnet.increaseTime(3600);
    await supply(borrowers[5] ?? '0x', 'USDC', 10n ** 9n);
    await devnet.mine(5);
    await catchUp();
  });
});

/** Applies what happened since the last time and compares every position with the chain, to the wei. */
async function catchUp(): Promise<MarketView> {
  const head = await chain.getBlock('latest');
  const range =
    head.number === at.number + 1
      ? { blockHash: head.hash }
      : { fromBlock: at.number + 1, toBlock: head.number };
  if (head.number > at.number) await tracked.apply(await chain.getLogs(range, tracked.watched, []), head);
  at = head;
  const view = tracked.view(await readAt(chain, tracked.surroundings(head.timestamp), head.hash));
  const accounts = [...view.positions.keys()];
  const onChain = await readAt(
    chain,
    each(accounts.map((account) => accountDataRead(view.market, account))),
    head.hash,
  );
  for (const expected of onChain) {
    const data = view.positions.get(expected.account)?.data;
    if (!data || 'priceMissing' in data) throw new Error(`no data of ${expected.account}`);
    const { totalCollateralUsd8, totalDebtUsd8, healthFactorWad } = data;
    expect({ account: expected.account, totalCollateralUsd8, totalDebtUsd8, healthFactorWad }).toEqual(
      expected,
    );
  }
  expect(onChain.length).toBeGreaterThan(10);
  return view;
}

const address = (symbol: TokenSymbol): string => devnet.tokens[symbol].address;

async function call(
  from: string,
  contract: Contract,
  method: string,
  args: readonly unknown[],
): Promise<void> {
  const data = contract.interface.encodeFunctionData(method, [...args]);
  await sendFrom(devnet, from, { to: await contract.getAddress(), data });
}

async function mint(to: string, symbol: TokenSymbol, amount: bigint): Promise<void> {
  if (symbol === 'WETH') {
    await devnet.rpc('anvil_setBalance', [to, `0x${(10n ** 24n).toString(16)}`]);
    const data = devnet.token(symbol).interface.encodeFunctionData('deposit');
    await sendFrom(devnet, to, { to: address(symbol), data, value: amount });
  } else await call(devnet.accounts.deployer, devnet.token(symbol), 'mint', [to, amount]);
  await call(to, devnet.token(symbol), 'approve', [devnet.addresses.pool, MaxUint256]);
}

async function supply(from: string, symbol: TokenSymbol, amount: bigint): Promise<void> {
  await mint(from, symbol, amount);
  await call(from, devnet.contracts.aavePool, 'supply(address,uint256,address,uint16)', [
    address(symbol),
    amount,
    from,
    0,
  ]);
}

/** aTokens from one borrower to another. */
function sendToken(from: string, symbol: TokenSymbol, to: string, amount: bigint): Promise<unknown> {
  const data = devnet.token(symbol).interface.encodeFunctionData('transfer', [to, amount]);
  return sendFrom(devnet, from, { to: devnet.tokens[symbol].aToken, data });
}

async function repayAll(borrower: string): Promise<void> {
  await mint(borrower, 'USDC', 10n ** 13n);
  await call(borrower, devnet.contracts.aavePool, 'repay(address,uint256,uint256,address)', [
    address('USDC'),
    MaxUint256,
    2,
    borrower,
  ]);
}
