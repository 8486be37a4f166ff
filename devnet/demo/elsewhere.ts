/** Positions of the demo beside Aave: on Compound v2 and Morpho Blue. */
import { Contract } from 'ethers';
import type { Devnet } from '../devnet.js';
import { amountWorth, initialPrices, MORPHO_LLTV_WAD, TOKENS, type TokenSymbol } from '../parameters.js';

const WAD = 10n ** 18n;
const BPS = 10_000n;
/** So long after it was opened, interest alone has opened the position of {@link openAtTheEdge}. */
const SECONDS_TO_THE_EDGE = 10n;

/** A borrower, and what to call it. */
export interface Elsewhere {
  readonly account: string;
  readonly name: string;
}

interface Position {
  readonly where: 'Compound' | 'Morpho';
  readonly collateral: 'WETH' | 'cbETH' | 'cbBTC';
  /** Of the collateral, at the first prices. */
  readonly dollars: bigint;
  /** At the first prices, basis points. */
  readonly healthBps: bigint;
}

const POSITIONS: readonly Position[] = [
  { where: 'Compound', collateral: 'WETH', dollars: 30_000n, healthBps: 10_800n },
  { where: 'Compound', collateral: 'cbETH', dollars: 12_000n, healthBps: 11_500n },
  { where: 'Compound', collateral: 'cbBTC', dollars: 50_000n, healthBps: 11_000n },
  { where: 'Morpho', collateral: 'WETH', dollars: 40_000n, healthBps: 10_900n },
  { where: 'Morpho', collateral: 'cbETH', dollars: 15_000n, healthBps: 11_600n },
  { where: 'Morpho', collateral: 'cbBTC', dollars: 60_000n, healthBps: 10_500n },
];

/** Opens them all, each with a debt in dollars. */
export async function openElsewhere(devnet: Devnet): Promise<Elsewhere[]> {
  const prices = initialPrices();
  const units = (symbol: TokenSymbol, usd8: bigint): bigint => amountWorth(symbol, usd8, prices[symbol]);
  const opened: Elsewhere[] = [];
  for (const { where, collateral: symbol, dollars, healthBps } of POSITIONS) {
    const usd8 = dollars * 10n ** 8n;
    const limitWad =
      where === 'Morpho' ? MORPHO_LLTV_WAD : (TOKENS[symbol].liquidationThresholdBps * WAD) / BPS;
    const debt = units('USDC', (((usd8 * limitWad) / WAD) * BPS) / healthBps);
    const collateral = units(symbol, usd8);
    const account =
      where === 'Morpho'
        ? await devnet.openMorphoPosition({ market: devnet.morphoMarket(symbol, 'USDC'), collateral, debt })
        : await devnet.openCompoundPosition({
            collateral: { symbol, amount: collateral },
            debt: { symbol: 'USDC', amount: debt },
          });
    opened.push({ account, name: `${where}, ${symbol}` });
  }
  return opened;
}

/**
 * Opens a position on Morpho Blue that owes all that it may, less some seconds of interest: no price has to
 * move.
 */
export async function openAtTheEdge(devnet: Devnet): Promise<Elsewhere> {
  const market = devnet.morphoMarket('WETH', 'USDC');
  const { params, id } = market;
  const collateral = 10n * WAD;
  const oracle = new Contract(params.oracle, ['function price() view returns (uint256)'], devnet.provider);
  const price = (await oracle.getFunction('price')()) as bigint;
  const totals = (await devnet.contracts.morpho.getFunction('market')(id)) as bigint[];
  const perSecondWad = (await devnet.contracts.morphoIrm.getFunction('borrowRateView')(
    Object.values(params),
    [...totals],
  )) as bigint;
  const most = (((collateral * price) / 10n ** 36n) * MORPHO_LLTV_WAD) / WAD;
  const debt = most - (most * perSecondWad * SECONDS_TO_THE_EDGE) / WAD - 1n;
  const account = await devnet.openMorphoPosition({ market, collateral, debt });
  return { account, name: 'Morpho, at the edge' };
}
