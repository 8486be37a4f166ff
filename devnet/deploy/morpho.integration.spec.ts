import { type Contract, parseEther } from 'ethers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Devnet,
  MORPHO_LLTV_WAD,
  MORPHO_MARKETS,
  type MorphoMarket,
  TOKEN_SYMBOLS,
  amountWorth,
  initialPrices,
  startDevnet,
} from '../index.js';
import { endow, send } from '../../testing/send.js';

const WAD = 10n ** 18n;
const ORACLE_SCALE = 10n ** 36n;
/** min(1.15, 1 / (1 - 0.3 * (1 - LLTV))), as ConstantsLib and Morpho.liquidate compute it. */
const LIQUIDATION_INCENTIVE_WAD = 1_043_841_336_116_910_229n;
const usd8 = (dollars: number): bigint => BigInt(dollars) * 10n ** 8n;
const usdc = (dollars: number): bigint => BigInt(dollars) * 10n ** 6n;

interface Position {
  borrowShares: bigint;
  collateral: bigint;
}

describe('Morpho Blue on the local chain', () => {
  let devnet: Devnet;
  let morpho: Contract;
  let clean: string;

  const position = async ({ id }: MorphoMarket, account: string): Promise<Position> => {
    const answer = (await morpho.getFunction('position')(id, account)) as bigint[];
    return { borrowShares: answer[1] ?? 0n, collateral: answer[2] ?? 0n };
  };

  /** Smallest units of the loan token, rounded up, as SharesMathLib.toAssetsUp. */
  const debtOf = async (market: MorphoMarket, account: string): Promise<bigint> => {
    const { borrowShares } = await position(market, account);
    const totals = (await morpho.getFunction('market')(market.id)) as bigint[];
    const [assets, shares] = [(totals[2] ?? 0n) + 1n, (totals[3] ?? 0n) + 10n ** 6n];
    return (borrowShares * assets + shares - 1n) / shares;
  };

  /** IOracle.price(). */
  const priceOf = async ({ params }: MorphoMarket): Promise<bigint> =>
    BigInt(String(await devnet.rpc('eth_call', [{ to: params.oracle, data: '0xa035b1fe' }, 'latest'])));

  const healthy = async (market: MorphoMarket, account: string): Promise<boolean> => {
    const { collateral } = await position(market, account);
    const worth = (collateral * (await priceOf(market))) / ORACLE_SCALE;
    return (worth * MORPHO_LLTV_WAD) / WAD >= (await debtOf(market, account));
  };

  beforeAll(async () => {
    devnet = await startDevnet();
    morpho = devnet.contracts.morpho;
  });

  afterAll(() => devnet.stop());

  beforeEach(async () => {
    clean = await devnet.snapshot();
  });

  afterEach(() => devnet.revert(clean));

  it('knows every market by its id and its parameters', async () => {
    expect(devnet.addresses.morphoMarkets).toHaveLength(MORPHO_MARKETS.length);
    for (const market of devnet.addresses.morphoMarkets) {
      const { loanToken, collateralToken, oracle, irm, lltv } = market.params;
      expect(await morpho.getFunction('idToMarketParams')(market.id)).toEqual([
        loanToken,
        collateralToken,
        oracle,
        irm,
        lltv,
      ]);
      expect(loanToken).toBe(devnet.tokens[market.loan].address);
      expect(collateralToken).toBe(devnet.tokens[market.collateral].address);
      expect(irm).toBe(devnet.addresses.morphoIrm);
      const prices = initialPrices();
      const decimals = 36 + devnet.tokens[market.loan].decimals - devnet.tokens[market.collateral].decimals;
      expect(await priceOf(market)).toBe(
        (prices[market.collateral] * 10n ** BigInt(decimals)) / prices[market.loan],
      );
    }
    expect(() => devnet.morphoMarket('USDC', 'cbBTC')).toThrow('no Morpho market USDC/cbBTC');
  });

  it('has every token for flash loans', async () => {
    for (const symbol of TOKEN_SYMBOLS) {
      const held: unknown = await devnet.token(symbol).getFunction('balanceOf')(morpho.target);
      expect(held).toBeGreaterThanOrEqual(amountWorth(symbol, usd8(100_000_000), initialPrices()[symbol]));
    }
  });

  it.each([
    { collateral: 'WETH', amount: parseEther('10'), debt: usdc(25_000), falls: 2_900 },
    { collateral: 'cbETH', amount: parseEther('10'), debt: usdc(28_000), falls: 3_250 },
    { collateral: 'cbBTC', amount: 100_000_000n, debt: usdc(77_000), falls: 89_000 },
  ] as const)('lets any account liquidate $collateral once its price has fallen', async (position_) => {
    const { collateral, amount, debt, falls } = position_;
    const market = devnet.morphoMarket(collateral, 'USDC');
    const borrower = await devnet.openMorphoPosition({ market, collateral: amount, debt });
    expect(await healthy(market, borrower)).toBe(true);
    expect(await devnet.token('USDC').getFunction('balanceOf')(borrower)).toBe(debt);

    await devnet.setPrice(collateral, usd8(falls));
    expect(await healthy(market, borrower)).toBe(false);

    const { trader } = devnet.accounts;
    const { borrowShares } = await position(market, borrower);
    await endow(devnet, trader, 'USDC', debt + usdc(1), devnet.addresses.morpho);
    const receipt = await send(
      devnet,
      trader,
      morpho,
      'liquidate',
      market.params,
      borrower,
      0n,
      borrowShares,
      '0x',
    );
    expect((await position(market, borrower)).borrowShares).toBe(0n);
    const event = receipt.logs
      .map((log) => morpho.interface.parseLog(log))
      .find((e) => e?.name === 'Liquidate');
    const { repaidAssets, seizedAssets } = event?.args.toObject() as Record<string, bigint>;
    const bonused = ((repaidAssets ?? 0n) * LIQUIDATION_INCENTIVE_WAD) / WAD;
    const expected = (bonused * ORACLE_SCALE) / (await priceOf(market));
    expect(repaidAssets).toBeGreaterThanOrEqual(debt);
    expect(seizedAssets).toBeLessThanOrEqual((expected * 1_001n) / 1_000n);
    expect(seizedAssets).toBeGreaterThanOrEqual((expected * 999n) / 1_000n);
  });

  it('opens a position of two tokens of 18 decimals, and says why it opens none', async () => {
    const market = devnet.morphoMarket('cbETH', 'WETH');
    const request = { market, collateral: parseEther('1'), debt: parseEther('0.94') };
    const borrower = await devnet.openMorphoPosition(request); // cbETH is worth 1.1 WETH, times 0.86: 0.946
    expect(await healthy(market, borrower)).toBe(true);
    const refused = devnet.openMorphoPosition({ ...request, debt: parseEther('0.95') });
    await expect(refused).rejects.toThrow(/^borrow for 0x\w{40}: .*insufficient collateral/);
  });
});
