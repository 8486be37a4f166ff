import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { Wallet, ZeroAddress, parseEther } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  type Borrower,
  DEMO_SCENARIO,
  type Devnet,
  EMODE,
  TOKENS,
  TOKEN_SYMBOLS,
  amountWorth,
  demoBorrowers,
  healthFactorWad,
  initialPrices,
  operatorPrivateKey,
  playStep,
  randomBorrowers,
  startDevnet,
} from './index.js';
import { Kind } from '../src/contract/bindings.js';
import { send } from '../testing/send.js';

const WAD = 10n ** 18n;
/** The first start compiles Aave. */
const COLD_START_MS = 120_000;
const usd8 = (dollars: number): bigint => BigInt(dollars) * 10n ** 8n;

/** |a - b| is at most so many millionths of b. */
function expectClose(a: bigint, b: bigint, millionths: bigint): void {
  const difference = a > b ? a - b : b - a;
  expect(difference * 1_000_000n, `${a} against ${b}`).toBeLessThanOrEqual(b * millionths);
}

describe('local chain', () => {
  let devnet: Devnet;
  let borrowers: Borrower[];
  let clean: string;

  beforeAll(async () => {
    devnet = await startDevnet();
    borrowers = demoBorrowers();
    await devnet.openPositions(borrowers);
  }, COLD_START_MS);

  afterAll(() => devnet.stop());

  beforeEach(async () => {
    clean = await devnet.snapshot();
  });

  afterEach(async () => {
    await devnet.stopMining();
    await devnet.revert(clean);
  });

  it('speaks the OP-stack dialect: predeploys, L1 fees, Multicall3', async () => {
    const { gasPriceOracle, l1Block, multicall3 } = devnet.contracts;
    expect(await gasPriceOracle.getFunction('isFjord')()).toBe(true);
    expect(await l1Block.getFunction('basefee')()).toBeGreaterThan(0n);
    const fee = (await gasPriceOracle.getFunction('getL1Fee')(`0x${'5a'.repeat(500)}`)) as bigint;
    expect(fee).toBeGreaterThan(0n);
    expect(fee).toBeLessThan(parseEther('0.0001'));
    expect(await devnet.token('WETH').getFunction('symbol')()).toBe('WETH');

    const callData = devnet.contracts.aavePool.interface.encodeFunctionData('getUserAccountData', [
      borrowers[0]?.account,
    ]);
    const calls = [{ target: devnet.addresses.pool, allowFailure: false, callData }];
    const [[success]] = (await multicall3.getFunction('aggregate3').staticCall(calls)) as [[boolean]];
    expect(success).toBe(true);
  });

  it('charges the operator an L1 fee on top of the gas', async () => {
    const operator = new Wallet(operatorPrivateKey, devnet.provider);
    expect(operator.address).toBe(devnet.accounts.operator);
    const before = await devnet.provider.getBalance(operator);
    const sent = await operator.sendTransaction({ to: devnet.accounts.treasury, value: 1n });
    const receipt = await sent.wait();
    const after = await devnet.provider.getBalance(operator);
    expect(before - after - 1n).toBeGreaterThan(receipt?.fee ?? 0n);
  });

  it('lists every token on Aave with its parameters and feed', async () => {
    const { dataProvider, oracle, aavePool } = devnet.contracts;
    for (const symbol of TOKEN_SYMBOLS) {
      const token = devnet.tokens[symbol];
      const [decimals, ltv, threshold, bonus, , usable, borrowable] = (await dataProvider.getFunction(
        'getReserveConfigurationData',
      )(token.address)) as unknown[];
      expect(Number(decimals)).toBe(token.decimals);
      const { ltvBps, liquidationThresholdBps, liquidationBonusBps, initialPriceUsd8 } = TOKENS[symbol];
      expect([ltv, threshold, bonus]).toEqual([ltvBps, liquidationThresholdBps, liquidationBonusBps]);
      expect([usable, borrowable]).toEqual([true, true]);
      expect(await dataProvider.getFunction('getFlashLoanEnabled')(token.address)).toBe(true);
      expect(await dataProvider.getFunction('getLiquidationProtocolFee')(token.address)).toBe(1_000n);
      expect(await oracle.getFunction('getSourceOfAsset')(token.address)).toBe(token.feed);
      expect(await oracle.getFunction('getAssetPrice')(token.address)).toBe(initialPriceUsd8);
      expect(await devnet.feed(symbol).getFunction('aggregator')()).toBe(token.aggregator);
      expect(await aavePool.getFunction('getReserveAddressById')(token.reserveId)).toBe(token.address);
    }
    expect(await aavePool.getFunction('POOL_REVISION')()).toBe(10n);
    expect(await aavePool.getFunction('FLASHLOAN_PREMIUM_TOTAL')()).toBe(5n);
  });

  it('holds fifty borrowers with the health factors they were made for', async () => {
    for (const borrower of borrowers) {
      const data = await devnet.accountData(borrower.account);
      expect(data.totalDebtUsd8).toBeGreaterThan(0n);
      expect(data.healthFactorWad).toBeGreaterThan(WAD);
      expectClose(data.healthFactorWad, healthFactorWad(borrower, initialPrices()), 10n);
    }
  });

  it('opens random positions that Aave accepts', async () => {
    const random = randomBorrowers(42, 150);
    const accounts = await devnet.openPositions(random);
    expect(accounts).toEqual(random.map(({ account }) => account));
    for (const account of accounts) {
      expect((await devnet.accountData(account)).healthFactorWad).toBeGreaterThan(WAD);
    }
  });

  it('moves feed and pools together, in one block', async () => {
    await devnet.setPrices({ WETH: usd8(2_720), cbBTC: usd8(81_234) });
    const prices = await devnet.prices();
    expect(prices).toEqual({ ...initialPrices(), WETH: usd8(2_720), cbBTC: usd8(81_234) });
    for (const pool of devnet.pools) {
      const expected = (prices[pool.token0] * WAD) / prices[pool.token1];
      expectClose(await devnet.poolPriceWad(pool), expected, 1n); // 100 would be the 0.01 % asked for
    }
    const block = await devnet.provider.getBlockNumber();
    const logs = await devnet.provider.getLogs({ fromBlock: block, toBlock: block });
    const answers = logs.filter(({ address }) => address === devnet.tokens.WETH.aggregator);
    expect(answers.map((log) => devnet.aggregator('WETH').interface.parseLog(log)?.name)).toEqual([
      'NewRound',
      'AnswerUpdated',
    ]);
    expect(logs.some(({ address }) => address === devnet.pool('WETH', 'USDC', 500).address)).toBe(true);
  });

  it('can let feed and pools disagree, and bring the pools back', async () => {
    const pool = devnet.pool('USDC', 'WETH', 500);
    const before = await devnet.poolPriceWad(pool);
    await devnet.setPrice('WETH', usd8(2_000), { movePools: false });
    expect((await devnet.prices()).WETH).toBe(usd8(2_000));
    expect(await devnet.poolPriceWad(pool)).toBe(before);
    await devnet.alignPools();
    const { WETH, USDC } = await devnet.prices();
    expectClose(
      await devnet.poolPriceWad(pool),
      pool.token0 === 'WETH' ? (WETH * WAD) / USDC : (USDC * WAD) / WETH,
      1n,
    );
  });

  it('has a working eMode', async () => {
    const { cbETH } = initialPrices();
    const collaterals = [{ symbol: 'cbETH', amount: amountWorth('cbETH', usd8(10_000), cbETH) }] as const;
    const debts = [{ symbol: 'WETH', amount: parseEther('3') }] as const; // $9,000: too much outside eMode
    const refused = devnet.openPosition({ collaterals, debts });
    await expect(refused).rejects.toThrow(/borrow for 0x.*: HealthFactor/);
    const account = await devnet.openPosition({ collaterals, debts, eMode: EMODE.id });
    const { healthFactorWad: health, liquidationThresholdBps } = await devnet.accountData(account);
    expect(liquidationThresholdBps).toBe(EMODE.liquidationThresholdBps);
    expectClose(health, (9_300n * WAD) / 9_000n, 10n);
    const dollars = devnet.openPosition({
      collaterals,
      debts: [{ symbol: 'USDC', amount: 1_000_000n }],
      eMode: EMODE.id,
    });
    await expect(dollars).rejects.toThrow('NotBorrowableInEMode');
  });

  it('lets any account liquidate by hand', async () => {
    const amount = amountWorth('WETH', usd8(50_000), initialPrices().WETH);
    const account = await devnet.openPosition({
      collaterals: [{ symbol: 'WETH', amount }],
      debts: [{ symbol: 'USDC', amount: 40_000_000_000n }],
    });
    await devnet.setPrice('WETH', usd8(2_850)); // HF 0.9856: half of the debt may be repaid

    const { deployer, treasury: liquidator } = devnet.accounts;
    const { WETH, USDC } = devnet.tokens;
    const { pool } = devnet.addresses;
    await send(devnet, deployer, devnet.token('USDC'), 'mint', liquidator, 10n ** 12n);
    await send(devnet, liquidator, devnet.token('USDC'), 'approve', pool, 10n ** 12n);
    const before = await devnet.accountData(account);
    expect(before.healthFactorWad).toBeLessThan(WAD);
    const offered = 10n ** 12n;
    const { aavePool } = devnet.contracts;
    await send(
      devnet,
      liquidator,
      aavePool,
      'liquidationCall',
      WETH.address,
      USDC.address,
      account,
      offered,
      false,
    );

    const after = await devnet.accountData(account);
    expectClose(after.totalDebtUsd8, before.totalDebtUsd8 / 2n, 10n);
    expect(after.healthFactorWad).toBeGreaterThan(WAD);
    // 5 % bonus, a tenth of it for Aave: worth 104.5 % of the debt repaid.
    const seized = (await devnet.token('WETH').getFunction('balanceOf')(liquidator)) as bigint;
    expectClose((seized * 2_850n) / WAD, (20_000n * 10_450n) / 10_000n, 1_000n);
  });

  it('carries the Chimera contract with its roles', async () => {
    const { chimera } = devnet.contracts;
    const { deployer, operator, treasury } = devnet.accounts;
    const read = (method: string, ...args: string[]): Promise<unknown> =>
      chimera.getFunction(method)(...args);
    expect(await read('isExecutor', operator)).toBe(true);
    expect(await read('isExecutor', deployer)).toBe(false);
    const { pool, comptroller, morpho, balancerVault, slipstreamFactory, solidlyFactory } = devnet.addresses;
    expect(await read('kindOf', pool)).toBe(BigInt(Kind.AaveV3));
    expect(await read('kindOf', comptroller)).toBe(BigInt(Kind.CompoundV2));
    expect(await read('kindOf', morpho)).toBe(BigInt(Kind.MorphoBlue));
    expect(await read('kindOf', balancerVault)).toBe(BigInt(Kind.BalancerV2));
    expect(await read('kindOf', slipstreamFactory)).toBe(BigInt(Kind.Slipstream));
    expect(await read('kindOf', solidlyFactory)).toBe(BigInt(Kind.Solidly));
    expect(await read('owner')).toBe(deployer);
    expect(await read('treasury')).toBe(treasury);
    expect(await read('factory')).toBe(devnet.addresses.uniswapFactory);
  });

  it('makes blocks by its own timer, and price updates wait for the next one', async () => {
    const start = await devnet.provider.getBlockNumber();
    await devnet.startMining(200);
    expect(await devnet.rpc('anvil_getAutomine')).toBe(false); // a transaction does not make a block
    await devnet.setPrice('WETH', usd8(2_990));
    const first = await devnet.provider.getBlockNumber();
    await devnet.setPrice('WETH', usd8(2_980));
    const second = await devnet.provider.getBlockNumber();
    await devnet.stopMining();
    expect(first).toBeGreaterThan(start);
    expect(second).toBeGreaterThan(first);
    const made = (await devnet.provider.getBlockNumber()) - start;
    expect((await devnet.provider.getBlock('latest'))?.baseFeePerGas).toBe(5_000_000n);
    // Automine is back: a transaction is mined without the timer.
    await (await devnet.signer(devnet.accounts.trader).sendTransaction({ to: ZeroAddress })).wait();
    expect(await devnet.provider.getBlockNumber()).toBe(start + made + 1);
  });

  it('announces its blocks over the WebSocket', async () => {
    const socket = new WebSocket(devnet.wsUrl);
    const message = async (): Promise<unknown> =>
      JSON.parse(String(((await once(socket, 'message')) as [Buffer])[0]));
    await once(socket, 'open');
    const subscribed = message();
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
    expect(await subscribed).toHaveProperty('result');
    const heard = message();
    await devnet.mine();
    const head = await devnet.provider.getBlock('latest', false);
    expect(await heard).toMatchObject({
      method: 'eth_subscription',
      params: { result: { hash: head?.hash } },
    });
    socket.terminate();
  });

  it('moves the clock, and goes back to a snapshot', async () => {
    const block = await devnet.provider.getBlock('latest');
    const snapshot = await devnet.snapshot();
    await devnet.increaseTime(86_400);
    await devnet.setPrice('WETH', usd8(1_000));
    const later = await devnet.provider.getBlock('latest');
    expect((later?.timestamp ?? 0) - (block?.timestamp ?? 0)).toBeGreaterThanOrEqual(86_400);
    await devnet.revert(snapshot);
    expect((await devnet.provider.getBlock('latest'))?.number).toBe(block?.number);
    expect(await devnet.prices()).toEqual(initialPrices());
    await expect(devnet.revert(snapshot)).rejects.toThrow('does not know');
    await devnet.setPrice('WETH', usd8(2_999)); // the trader's nonce went back as well
  });

  it('plays the scenario: each step of the chain agrees with the plan', async () => {
    for (const step of DEMO_SCENARIO) {
      const prices = await playStep(devnet, step);
      expect(await devnet.prices()).toEqual(prices);
      for (const borrower of borrowers) {
        const { healthFactorWad: health } = await devnet.accountData(borrower.account);
        expectClose(health, healthFactorWad(borrower, prices), 50n);
      }
    }
  });

  it('stops without leaving a process', async () => {
    const second = await startDevnet({ chainId: 31338 });
    expect(Number(await second.rpc('eth_chainId'))).toBe(31338);
    expect(existsSync(`/proc/${second.pid}`) || process.platform !== 'linux').toBe(true);
    await second.startMining(200);
    await second.stop();
    await second.stop();
    expect(() => process.kill(second.pid, 0)).toThrow('ESRCH');
    expect(await devnet.rpc('eth_chainId')).toBe('0x7a69');
  });
});
