/** Positions of the local Aave market that interest alone opens, each at a time of its own. */
import type { Devnet, PositionRequest } from '../devnet/index.js';
import { WAD } from '../src/domain/money.js';
import { send } from './send.js';

const YEAR_SECONDS = 365n * 24n * 3600n;
const RAY = 10n ** 27n;
const ETHER = 10n ** 18n;
/** USDC of debt for one WETH of collateral. */
const DEBT_OF_WETH = 2_200n * 10n ** 6n;

/** Without debts there is no interest. It stays far above a health factor of 1. */
const WHALE: PositionRequest = {
  collaterals: [{ symbol: 'WETH', amount: 20_000n * ETHER }],
  debts: [{ symbol: 'USDC', amount: 20_000_000n * 10n ** 6n }],
};

export interface Openings {
  /** When each opens, in seconds after the price was set, the earliest first. */
  readonly seconds: readonly number[];
  /** Collateral of each, wei. */
  readonly wethEach: bigint;
}

/**
 * Opens one position for each time, and then sets the price of ether so that interest opens them one after
 * the other. The times are right to about a second.
 *
 * @returns the borrowers, in the order of their times.
 */
export async function openByInterest(devnet: Devnet, { seconds, wethEach }: Openings): Promise<string[]> {
  await devnet.openPositions([WHALE]);
  const perSecond = await drift(devnet);
  if (perSecond <= 0n) throw new Error('a debt in dollars does not outgrow a collateral in ether');
  const [first = 0] = seconds;
  const debt = (DEBT_OF_WETH * wethEach) / ETHER;
  const requests = seconds.map((at): PositionRequest => {
    const less = (debt * perSecond * BigInt(Math.round((at - first) * 1_000))) / (1_000n * RAY);
    return {
      collaterals: [{ symbol: 'WETH', amount: wethEach }],
      debts: [{ symbol: 'USDC', amount: debt - less }],
    };
  });
  const borrowers = await devnet.openPositions(requests);
  const healths = await Promise.all(borrowers.map((borrower) => healthFactor(devnet, borrower)));
  const lowest = healths.reduce((least, one) => (one < least ? one : least));
  const wanted = WAD + (WAD * (await drift(devnet)) * BigInt(Math.round(first))) / RAY;
  const feed = devnet.aggregator('WETH');
  const price = BigInt(String(await feed.getFunction('latestAnswer')()));
  await send(devnet, devnet.accounts.deployer, feed, 'setAnswer', (price * wanted) / lowest);
  await devnet.alignPools();
  return borrowers;
}

/** As the market says it at the end of a block; WAD. */
export async function healthFactor(
  devnet: Devnet,
  borrower: string,
  blockTag: number | 'latest' = 'latest',
): Promise<bigint> {
  const data = (await devnet.contracts.aavePool.getFunction('getUserAccountData')(borrower, {
    blockTag,
  })) as Record<string, bigint>;
  return data['healthFactor']!;
}

/** Ray a second by which a debt in dollars outgrows a collateral in ether. */
async function drift(devnet: Devnet): Promise<bigint> {
  const rates = async (symbol: 'USDC' | 'WETH'): Promise<Record<string, bigint>> =>
    (await devnet.contracts.aavePool.getFunction('getReserveData')(devnet.tokens[symbol].address)) as never;
  const [debt, collateral] = await Promise.all([rates('USDC'), rates('WETH')]);
  return (debt['currentVariableBorrowRate']! - collateral['currentLiquidityRate']!) / YEAR_SECONDS;
}
