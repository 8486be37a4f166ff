/** Twelve tokens as they are found on an unknown chain. Each has a feed, and is listed on Aave. */
import { AbiCoder, dataSlice, type Contract } from 'ethers';
import type { Devnet } from '../../devnet/index.js';
import { toAddress, type Address } from '../../src/domain/hex.js';
import { send } from '../send.js';

/** ForeignToken.Manner. */
const PLAIN = 0;
/** Returns nothing from transfer, transferFrom and approve. */
const SILENT = 1;
/** Its symbol is bytes32. */
const OLD_STYLE = 2;

interface TokenTerms {
  readonly decimals: number;
  readonly manner: number;
  /** What it is worth after the step; the pools are there from the beginning. */
  readonly priceUsd: number;
  /** Its feed is higher before the step. */
  readonly falls: boolean;
}

const TOKENS = {
  USDX: { decimals: 6, manner: SILENT, priceUsd: 1, falls: false },
  EURO: { decimals: 18, manner: PLAIN, priceUsd: 1.08, falls: false },
  GOLD: { decimals: 6, manner: OLD_STYLE, priceUsd: 2_400, falls: false },
  FARM: { decimals: 18, manner: PLAIN, priceUsd: 8, falls: false },
  BTCX: { decimals: 8, manner: PLAIN, priceUsd: 60_000, falls: true },
  OLDE: { decimals: 18, manner: OLD_STYLE, priceUsd: 1_500, falls: true },
  GIGA: { decimals: 24, manner: PLAIN, priceUsd: 0.02, falls: true },
  COPR: { decimals: 12, manner: PLAIN, priceUsd: 35, falls: true },
  MESH: { decimals: 18, manner: SILENT, priceUsd: 0.5, falls: true },
  MIDL: { decimals: 12, manner: SILENT, priceUsd: 120, falls: true },
  DEEP: { decimals: 24, manner: PLAIN, priceUsd: 3_000, falls: true },
  VAMM: { decimals: 18, manner: PLAIN, priceUsd: 15, falls: true },
} as const satisfies Record<string, TokenTerms>;

/** Those of the world, and two that the local chain has already. */
export type ForeignSymbol = keyof typeof TOKENS | 'USDC' | 'WETH';

export interface ForeignToken {
  readonly symbol: ForeignSymbol;
  readonly address: Address;
  readonly decimals: number;
  /** After the step, USD with 8 decimals. */
  readonly priceUsd8: bigint;
  readonly falls: boolean;
  readonly contract: Contract;
  /** The aggregator behind its feed; undefined for what the local chain has already. */
  readonly aggregator: Contract | undefined;
}

export type ForeignTokens = ReadonlyMap<ForeignSymbol, ForeignToken>;

/** What the feeds of falling tokens say before the step, of what they say after it, in percent. */
const BEFORE_PERCENT = 114n;
const LTV_BPS = 7_900n;
const THRESHOLD_BPS = 8_200n;
const BONUS_BPS = 10_600n;
const PROTOCOL_FEE_BPS = 1_000n;
/** Optimal usage, base rate and both slopes of DefaultReserveInterestRateStrategyV2, basis points. */
const RATE = [9_000, 0, 300, 4_000];
/** keccak256('eip1967.proxy.implementation') - 1. */
const IMPLEMENTATION_SLOT = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';

/** Deploys the tokens and lists them on Aave, at the prices before the step. */
export async function listTokens(devnet: Devnet): Promise<ForeignTokens> {
  const tokens = new Map<ForeignSymbol, ForeignToken>();
  const feeds: string[] = [];
  for (const [symbol, terms] of Object.entries(TOKENS)) {
    const contract = await devnet.deploy('ForeignToken', [symbol, terms.decimals, terms.manner]);
    const priceUsd8 = BigInt(Math.round(terms.priceUsd * 1e8));
    const aggregator = await devnet.deploy('SettableAggregator', [
      8,
      `${symbol} / USD`,
      terms.falls ? (priceUsd8 * BEFORE_PERCENT) / 100n : priceUsd8,
      devnet.accounts.deployer,
    ]);
    const feed = await devnet.deploy('AggregatorProxy', [await aggregator.getAddress()]);
    feeds.push(await feed.getAddress());
    const { decimals, falls } = terms;
    tokens.set(symbol as ForeignSymbol, {
      symbol: symbol as ForeignSymbol,
      address: toAddress(await contract.getAddress()),
      decimals,
      priceUsd8,
      falls,
      contract,
      aggregator,
    });
  }
  await listOnAave(devnet, [...tokens.values()], feeds);
  const prices = await devnet.prices();
  for (const symbol of ['USDC', 'WETH'] as const) {
    const { address, decimals } = devnet.tokens[symbol];
    tokens.set(symbol, {
      symbol,
      address: toAddress(address),
      decimals,
      priceUsd8: prices[symbol],
      falls: false,
      contract: devnet.token(symbol),
      aggregator: undefined,
    });
  }
  return tokens;
}

/** @param feeds the proxy of each token's feed. */
export async function listOnAave(
  devnet: Devnet,
  tokens: readonly { readonly symbol: string; readonly address: Address }[],
  feeds: readonly string[],
): Promise<void> {
  const { deployer } = devnet.accounts;
  const { oracle, poolConfigurator } = devnet.contracts;
  const { aToken, variableDebtToken } = devnet.tokens.USDC;
  const [aTokenImpl, variableDebtTokenImpl] = await Promise.all(
    [aToken, variableDebtToken].map(async (proxy) =>
      dataSlice(await devnet.provider.getStorage(proxy, IMPLEMENTATION_SLOT), 12),
    ),
  );
  const addresses = tokens.map(({ address }) => address);
  await send(devnet, deployer, oracle, 'setAssetSources', addresses, feeds);
  const listings = tokens.map(({ symbol, address }) => ({
    aTokenImpl,
    variableDebtTokenImpl,
    underlyingAsset: address,
    aTokenName: `Aave foreign ${symbol}`,
    aTokenSymbol: `aFor${symbol}`,
    variableDebtTokenName: `Aave foreign debt ${symbol}`,
    variableDebtTokenSymbol: `debtFor${symbol}`,
    params: '0x',
    interestRateData: AbiCoder.defaultAbiCoder().encode(['tuple(uint16,uint32,uint32,uint32)'], [RATE]),
  }));
  const configure = (method: string, ...args: unknown[]): Promise<unknown> =>
    send(devnet, deployer, poolConfigurator, method, ...args);
  for (let from = 0; from < listings.length; from += 4)
    await configure('initReserves', listings.slice(from, from + 4));
  for (const address of addresses) {
    await configure('configureReserveAsCollateral', address, LTV_BPS, THRESHOLD_BPS, BONUS_BPS);
    await configure('setReserveBorrowing', address, true);
    await configure('setReserveFlashLoaning', address, true);
    await configure('setLiquidationProtocolFee', address, PROTOCOL_FEE_BPS);
  }
}

/** Units of a token that are worth so much after the step, rounded down. */
export function unitsWorth({ decimals, priceUsd8 }: ForeignToken, usd: number): bigint {
  return (BigInt(Math.round(usd * 1e8)) * 10n ** BigInt(decimals)) / priceUsd8;
}

/** What units are worth after the step, in dollars. */
export function usdOf({ decimals, priceUsd8 }: ForeignToken, units: bigint): number {
  return Number((units * priceUsd8 * 10_000n) / 10n ** BigInt(decimals)) / 1e12;
}
