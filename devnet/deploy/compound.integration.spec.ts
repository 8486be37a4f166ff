import { type Contract, parseEther } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  COMPOUND,
  type Devnet,
  TOKENS,
  TOKEN_SYMBOLS,
  TransactionFailed,
  amountWorth,
  initialPrices,
  startDevnet,
} from '../index.js';
import { endow, send } from '../../testing/send.js';

const WAD = 10n ** 18n;
const usd8 = (dollars: number): bigint => BigInt(dollars) * 10n ** 8n;
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;

describe('Compound v2 on the local chain', () => {
  let devnet: Devnet;
  let comptroller: Contract;
  let clean: string;

  const read = async (contract: Contract, method: string, ...args: unknown[]): Promise<bigint> =>
    (await contract.getFunction(method)(...args)) as bigint;

  /** What the account may still borrow, and by how much it borrowed too much: USD with 18 decimals. */
  const liquidity = async (account: string): Promise<{ left: bigint; shortfall: bigint }> => {
    const answer = (await comptroller.getFunction('getAccountLiquidity')(account)) as bigint[];
    const [error = 1n, left = 0n, shortfall = 0n] = answer;
    expect(error).toBe(0n);
    return { left, shortfall };
  };

  beforeAll(async () => {
    devnet = await startDevnet();
    comptroller = devnet.contracts.comptroller;
  });

  afterAll(() => devnet.stop());

  beforeEach(async () => {
    clean = await devnet.snapshot();
  });

  afterEach(() => devnet.revert(clean));

  it('has a market per token and one of native ether, priced by the feeds', async () => {
    const { mTokens, mNative, compoundOracle } = devnet.addresses;
    const expected = [...TOKEN_SYMBOLS.map((symbol) => mTokens[symbol]), mNative];
    expect(await comptroller.getFunction('getAllMarkets')()).toEqual(expected);
    expect(await comptroller.getFunction('oracle')()).toBe(compoundOracle);
    expect(await read(comptroller, 'closeFactorMantissa')).toBe(COMPOUND.closeFactorWad);
    expect(await read(comptroller, 'liquidationIncentiveMantissa')).toBe(COMPOUND.liquidationIncentiveWad);
    for (const asset of [...TOKEN_SYMBOLS, 'native'] as const) {
      const { decimals, initialPriceUsd8, liquidationThresholdBps } =
        TOKENS[asset === 'native' ? 'WETH' : asset];
      const mToken = devnet.mToken(asset);
      const price = await read(devnet.contracts.compoundOracle, 'getUnderlyingPrice', mToken.target);
      expect(price).toBe(initialPriceUsd8 * 10n ** BigInt(28 - decimals));
      const [, collateralFactor] = (await comptroller.getFunction('markets')(mToken.target)) as unknown[];
      expect(collateralFactor).toBe(liquidationThresholdBps * 10n ** 14n);
      const cash = amountWorth(asset === 'native' ? 'WETH' : asset, usd8(100_000_000), initialPriceUsd8);
      expect(await read(mToken, 'getCash')).toBe(cash);
    }
    expect(await read(devnet.contracts.compoundOracle, 'getUnderlyingPrice', comptroller.target)).toBe(0n);
  });

  it('lets any account liquidate half of the debt once the price has fallen', async () => {
    const borrower = await devnet.openCompoundPosition({
      collateral: { symbol: 'WETH', amount: parseEther('10') }, // $30,000, of which $24,900 count
      debt: { symbol: 'USDC', amount: usdc(24_000) },
    });
    const { left } = await liquidity(borrower);
    expect(left).toBeGreaterThan(899n * WAD); // mTokens have 8 decimals, and are rounded down
    expect(left).toBeLessThanOrEqual(900n * WAD);
    expect(await read(devnet.token('USDC'), 'balanceOf', borrower)).toBe(usdc(24_000));

    await devnet.setPrice('WETH', usd8(2_850));
    const { shortfall } = await liquidity(borrower);
    expect(shortfall).toBeGreaterThan(345n * WAD); // 24,000 - 0.83 * 28,500, and interest
    expect(shortfall).toBeLessThan(346n * WAD);

    const { trader } = devnet.accounts;
    const [mUsdc, mWeth] = [devnet.mToken('USDC'), devnet.mToken('WETH')];
    await endow(devnet, trader, 'USDC', usdc(24_000), devnet.addresses.mTokens.USDC);
    const liquidate = mUsdc.connect(devnet.signer(trader)).getFunction('liquidateBorrow');
    const tooMuch: unknown = await liquidate.staticCall(borrower, usdc(12_500), mWeth.target);
    expect(tooMuch).toBe(3n); // a code, not a revert: COMPTROLLER_REJECTION
    const before = await read(devnet.token('WETH'), 'balanceOf', trader);
    await send(devnet, trader, mUsdc, 'liquidateBorrow', borrower, usdc(12_000), mWeth.target);
    await send(devnet, trader, mWeth, 'redeem', await read(mWeth, 'balanceOf', trader));

    const gained = (await read(devnet.token('WETH'), 'balanceOf', trader)) - before;
    // 110 % of $12,000, less the protocol's 2.8 %
    const expected = (((12_000n * WAD) / 2_850n) * 11n * 972n) / 10_000n;
    expect(gained).toBeGreaterThan((expected * 999n) / 1_000n);
    expect(gained).toBeLessThanOrEqual(expected);
    expect((await liquidity(borrower)).shortfall).toBe(0n);
  });

  it('pays native ether for a redemption of what was seized in the native market', async () => {
    const borrower = await devnet.openCompoundPosition({
      collateral: { symbol: 'native', amount: parseEther('10') },
      debt: { symbol: 'cbBTC', amount: 26_000_000n }, // $23,400
    });
    expect((await liquidity(borrower)).shortfall).toBe(0n);
    await devnet.setPrice('cbBTC', usd8(100_000));
    expect((await liquidity(borrower)).shortfall).toBeGreaterThan(0n);

    const { trader } = devnet.accounts;
    await endow(devnet, trader, 'cbBTC', 13_000_000n, devnet.addresses.mTokens.cbBTC);
    const mNative = devnet.mToken('native');
    const mBtc = devnet.mToken('cbBTC');
    await send(devnet, trader, mBtc, 'liquidateBorrow', borrower, 13_000_000n, mNative.target);
    const before = await devnet.provider.getBalance(trader);
    await send(devnet, trader, mNative, 'redeem', await read(mNative, 'balanceOf', trader));
    // $13,000 * 1.1 * 0.972 / $3,000 is 4.63 ether
    expect((await devnet.provider.getBalance(trader)) - before).toBeGreaterThan(parseEther('4.62'));
  });

  it('names the code with which Compound refuses a position', async () => {
    const { WETH } = initialPrices();
    const refused = devnet.openCompoundPosition({
      collateral: { symbol: 'WETH', amount: amountWorth('WETH', usd8(1_000), WETH) },
      debt: { symbol: 'USDC', amount: usdc(831) },
    });
    await expect(refused).rejects.toThrow(TransactionFailed);
    // COMPTROLLER_REJECTION, BORROW_COMPTROLLER_REJECTION, INSUFFICIENT_LIQUIDITY
    await expect(refused).rejects.toThrow(/^borrow for 0x\w{40}: Failure\(3, \d+, 4\)$/);
  });

  it('opens positions while the timer makes blocks', async () => {
    await devnet.startMining(200);
    const position = {
      collateral: { symbol: 'cbETH', amount: parseEther('1') },
      debt: { symbol: 'native', amount: parseEther('0.5') },
    } as const;
    const accounts = await Promise.all([
      devnet.openCompoundPosition(position),
      devnet.openCompoundPosition(position),
    ]);
    await devnet.stopMining();
    for (const account of accounts) expect((await liquidity(account)).left).toBeGreaterThan(0n);
    expect(new Set(accounts).size).toBe(2);
  });
});
