import { encodeBytes32String, Interface, MaxUint256, toBeHex, type Contract } from 'ethers';
import {
  amountWorth,
  TOKEN_SYMBOLS,
  TOKENS,
  type BlockTransaction,
  type Devnet,
} from '../../devnet/index.js';
import { toAddress, type Address } from '../../src/domain/hex.js';
import { USD8 } from '../../src/domain/money.js';

/** A call, and its label in the report of a failure. */
export interface Call extends BlockTransaction {
  readonly label: string;
}

export interface Token {
  readonly symbol: string;
  readonly asset: Address;
  readonly decimals: number;
  readonly initialPriceUsd8: bigint;
  /** What the market's oracle may ask: the feed it starts with, then another one. */
  readonly sources: readonly [Address, Address];
  /** Where the answers of the sources are written, in the same order. */
  readonly aggregators: readonly [Address, Address];
  /** The source that is a proxy, in front of the first aggregator; absent for a token without one. */
  readonly proxy: Address | undefined;
}

/** The accounts and contracts that take part. */
export interface Cast {
  readonly devnet: Devnet;
  /** Supply, borrow, liquidate, … each with plenty of every token, which the pool may take. */
  readonly actors: readonly Address[];
  /** Covers deficits. Aave requires that it has no debt. */
  readonly umbrella: Address;
  /** Takes flash loans, and pays them back from its own balance. */
  readonly flashReceiver: Address;
  /** Configures the market and writes the prices. */
  readonly admin: Address;
  readonly supplier: Address;
  /** Listed from the start, and the last of them some time later. */
  readonly tokens: readonly Token[];
  /** Is listed and dropped again and again: no account uses it. */
  readonly passing: Token;
  /** Of the aTokens and debt tokens, for one more reserve. */
  readonly implementations: { readonly aToken: Address; readonly variableDebtToken: Address };
}

/** Later than any machine's clock, so that every block of a run has the same timestamp on each repetition. */
export const START = 4_000_000_000;

const ACTORS = 32;
const STOCK_USD8 = 10_000_000n * USD8;
/** The amount that the supplier leaves in the pool. It is small, so that the actors change the rates. */
const LIQUIDITY_USD8 = 3_000_000n * USD8;
const ETHER_WEI = 10n ** 24n;
/** ERC-1967: where a proxy keeps its implementation. */
const IMPLEMENTATION_SLOT = '0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc';
/** Runtime code that answers any call with 1: mstore(0, 1) return(0, 32). */
const ALWAYS_TRUE = '0x600160005260206000f3';

export const TOKEN_ABI = new Interface([
  'function approve(address spender, uint256 amount)',
  'function transfer(address to, uint256 amount)',
  'function transferFrom(address from, address to, uint256 amount)',
  'function approveDelegation(address delegatee, uint256 amount)',
  'function deposit() payable',
  'function mint(address to, uint256 amount)',
  'function setAnswer(int256 answer)',
  'function proposeAggregator(address aggregator)',
  'function confirmAggregator(address aggregator)',
]);

/** A call by any account, with its arguments in its label. */
export function callOf(
  from: Address,
  to: Address,
  abi: Contract['interface'],
  method: string,
  args: readonly unknown[],
): Call {
  const data = abi.encodeFunctionData(method, [...args]);
  return {
    from,
    to,
    data,
    label: `${short(from)} → ${short(to)} ${method}(${args.map(written).join(', ')})`,
  };
}

/** Deploys what is missing on a fresh chain, and gives every account what it needs. */
export async function castOf(devnet: Devnet): Promise<Cast> {
  const numbered = (number: number): Address => toAddress(toBeHex(0xacn * 2n ** 152n + BigInt(number), 20));
  const actors = Array.from({ length: ACTORS }, (_, index) => numbered(index + 1));
  const [umbrella, flashReceiver] = [numbered(0x100), numbered(0x200)];
  const cast: Cast = {
    devnet,
    actors,
    umbrella,
    flashReceiver,
    admin: toAddress(devnet.accounts.deployer),
    supplier: toAddress(devnet.accounts.supplier),
    tokens: [...(await listedTokens(devnet)), await unlistedToken(devnet, 'EURC', 6)],
    passing: await unlistedToken(devnet, 'PASS', 18),
    implementations: {
      aToken: await implementationOf(devnet, devnet.tokens.USDC.aToken),
      variableDebtToken: await implementationOf(devnet, devnet.tokens.USDC.variableDebtToken),
    },
  };
  for (const account of [...actors, umbrella, flashReceiver, cast.admin])
    await devnet.rpc('anvil_setBalance', [account, toBeHex(ETHER_WEI)]);
  await devnet.mineBlock(
    [...actors, umbrella, flashReceiver].flatMap((account) => endowment(cast, account)),
    START,
  );
  await devnet.rpc('anvil_setCode', [flashReceiver, ALWAYS_TRUE]);
  const receipts = await devnet.mineBlock(arrangements(cast), START + 1);
  if (receipts.some(({ succeeded }) => !succeeded)) throw new Error('the market could not be arranged');
  return cast;
}

/** Gives every token, with an allowance for the pool. */
function endowment({ tokens, admin, devnet }: Cast, account: Address): BlockTransaction[] {
  const pool = toAddress(devnet.addresses.pool);
  return tokens.flatMap(({ symbol, asset, decimals, initialPriceUsd8 }) => {
    const amount = (STOCK_USD8 * 10n ** BigInt(decimals)) / initialPriceUsd8;
    const stock =
      symbol === 'WETH'
        ? { ...callOf(account, asset, TOKEN_ABI, 'deposit', []), valueWei: amount }
        : callOf(admin, asset, TOKEN_ABI, 'mint', [account, amount]);
    return [stock, callOf(account, asset, TOKEN_ABI, 'approve', [pool, MaxUint256])];
  });
}

function arrangements(cast: Cast): BlockTransaction[] {
  const { devnet, umbrella, admin, supplier } = cast;
  const { aavePool, addressesProvider, oracle } = devnet.contracts;
  const { pool } = devnet.addresses;
  const unlisted = [...cast.tokens.slice(TOKEN_SYMBOLS.length), cast.passing];
  return [
    ...TOKEN_SYMBOLS.flatMap((symbol) => {
      const { address } = devnet.tokens[symbol];
      const worth = (usd8: bigint): bigint => amountWorth(symbol, usd8, TOKENS[symbol].initialPriceUsd8);
      return [
        callOf(supplier, toAddress(pool), aavePool.interface, 'withdraw', [address, MaxUint256, supplier]),
        callOf(supplier, toAddress(pool), aavePool.interface, 'supply', [
          address,
          worth(LIQUIDITY_USD8),
          supplier,
          0,
        ]),
      ];
    }),
    callOf(admin, toAddress(devnet.addresses.addressesProvider), addressesProvider.interface, 'setAddress', [
      encodeBytes32String('UMBRELLA'),
      umbrella,
    ]),
    callOf(admin, toAddress(devnet.addresses.oracle), oracle.interface, 'setAssetSources', [
      unlisted.map(({ asset }) => asset),
      unlisted.map(({ sources }) => sources[0]),
    ]),
  ];
}

async function listedTokens(devnet: Devnet): Promise<Token[]> {
  const tokens: Token[] = [];
  for (const symbol of TOKEN_SYMBOLS) {
    const { address, decimals, feed, aggregator } = devnet.tokens[symbol];
    const { initialPriceUsd8 } = TOKENS[symbol];
    const spare = await spareAggregator(devnet, symbol, initialPriceUsd8);
    tokens.push({
      symbol,
      asset: toAddress(address),
      decimals,
      initialPriceUsd8,
      sources: [toAddress(feed), spare],
      aggregators: [toAddress(aggregator), spare],
      proxy: toAddress(feed),
    });
  }
  return tokens;
}

async function unlistedToken(devnet: Devnet, symbol: string, decimals: number): Promise<Token> {
  const initialPriceUsd8 = 110_000_000n;
  const contract = await devnet.deploy('MintableToken', [symbol, symbol, decimals]);
  const first = await spareAggregator(devnet, symbol, initialPriceUsd8);
  const second = await spareAggregator(devnet, symbol, initialPriceUsd8);
  return {
    symbol,
    asset: toAddress(await contract.getAddress()),
    decimals,
    initialPriceUsd8,
    sources: [first, second],
    aggregators: [first, second],
    proxy: undefined,
  };
}

async function spareAggregator(devnet: Devnet, symbol: string, priceUsd8: bigint): Promise<Address> {
  const { deployer } = devnet.accounts;
  const contract = await devnet.deploy('SettableAggregator', [8, `${symbol} / USD`, priceUsd8, deployer]);
  return toAddress(await contract.getAddress());
}

async function implementationOf(devnet: Devnet, proxy: string): Promise<Address> {
  const word = String(await devnet.rpc('eth_getStorageAt', [proxy, IMPLEMENTATION_SLOT, 'latest']));
  return toAddress(`0x${word.slice(-40)}`);
}

/** Actors are 0xac00…01 and so on: their ends tell them apart. */
const short = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;

function written(value: unknown): string {
  if (value === MaxUint256) return 'all';
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.values(value).map(written).join(', ')}}`;
  const text = String(value);
  return /^0x[0-9a-f]{40}$/i.test(text) ? short(text) : text;
}
