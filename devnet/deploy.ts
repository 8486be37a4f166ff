/** Puts the whole market on an empty chain: predeploys, tokens and feeds, Aave, Uniswap, the Chimera contract. */
import { MaxUint256, parseEther, toQuantity } from 'ethers';
import { type DevnetArtifacts, artifactOf } from './artifacts.js';
import { type AaveAddresses, deployAave, poolAbi } from './deploy-aave.js';
import { type PoolKey, type UniswapAddresses, deployUniswap, fillPools } from './deploy-uniswap.js';
import { Deployer, interfaceOf } from './deployer.js';
import { AAVE_LIQUIDITY_USD8, TOKENS, TOKEN_SYMBOLS, type TokenSymbol, amountWorth } from './parameters.js';
import { setPredeploys } from './predeploys.js';
import type { RpcClient } from './rpc.js';
import { TransactionQueue } from './transactions.js';

/** Accounts of the local chain, all from anvil's well-known test mnemonic. */
export interface Accounts {
  /** Deploys and owns everything. */
  deployer: string;
  /** Sends liquidations; an executor of the Chimera contract. */
  operator: string;
  /** Receives Chimera's profit. */
  treasury: string;
  /** Moves the market. */
  trader: string;
  /** Supplies liquidity to Aave and Uniswap, and collateral on behalf of borrowers. */
  supplier: string;
}

/** A token of the local chain. */
export interface DevnetToken {
  symbol: TokenSymbol;
  address: string;
  decimals: number;
  /** The Chainlink-style proxy, which Aave reads. */
  feed: string;
  /** The aggregator behind the proxy, which emits AnswerUpdated. */
  aggregator: string;
  aToken: string;
  variableDebtToken: string;
  /** Index in Aave's list of reserves, and bit in its bitmaps. */
  reserveId: number;
}

export type DevnetTokens = Record<TokenSymbol, DevnetToken>;

/** A Uniswap v3 pool of the local chain. */
export interface DevnetPool extends PoolKey {
  address: string;
}

export interface DevnetAddresses extends AaveAddresses, UniswapAddresses {
  multicall3: string;
  gasPriceOracle: string;
  l1Block: string;
  /** The proxy of the ETH/USD feed. */
  nativeUsdFeed: string;
  chimera: string;
  marketMover: string;
}

export interface Deployment {
  addresses: DevnetAddresses;
  tokens: DevnetTokens;
  pools: DevnetPool[];
}

/** Ether for the supplier, who wraps most of it. */
const SUPPLIER_ETHER = parseEther('5000000');

type PlainToken = Pick<DevnetToken, 'symbol' | 'address' | 'decimals' | 'feed' | 'aggregator'>;
type PlainTokens = Record<TokenSymbol, PlainToken>;

/**
 * Deploys everything in a handful of blocks. Automine must be off.
 * @param depthUsd8 worth of each side of each Uniswap pool, USD with 8 decimals
 */
export async function deployMarket(
  rpc: RpcClient,
  artifacts: DevnetArtifacts,
  accounts: Accounts,
  depthUsd8: bigint,
): Promise<Deployment> {
  await setPredeploys(rpc, artifacts);
  await rpc.call('anvil_setBalance', [accounts.supplier, toQuantity(SUPPLIER_ETHER)]);
  const queue = new TransactionQueue(rpc, interfaceOf(poolAbi(artifacts)));
  const mineOne = async (): Promise<void> => {
    await rpc.call('evm_mine');
  };
  await queue.track([accounts.deployer, accounts.supplier]);
  const deployer = new Deployer(queue, accounts.deployer);

  const marketMover = deployer.create(artifactOf(artifacts.own, 'MarketMover'), [accounts.trader]);
  const tokens = createTokens(deployer, artifacts, marketMover);
  const aave = deployAave(deployer, artifacts, tokens);
  const uniswap = deployUniswap(deployer, artifacts);
  const chimera = createChimera(deployer, artifacts, accounts, uniswap.uniswapFactory, aave.pool);
  mintTokens(deployer, artifacts, tokens, [accounts.supplier, marketMover], depthUsd8);
  await queue.mine(mineOne);

  const keys = supplyLiquidity(deployer, artifacts, tokens, accounts.supplier, depthUsd8, {
    marketMover,
    pool: aave.pool,
    positionManager: uniswap.positionManager,
  });
  await queue.mine(mineOne);

  return {
    addresses: {
      ...aave,
      ...uniswap,
      multicall3: artifacts.multicall3.address,
      gasPriceOracle: artifacts.predeploys.gasPriceOracle.address,
      l1Block: artifacts.predeploys.l1Block.address,
      nativeUsdFeed: tokens.WETH.feed,
      chimera,
      marketMover,
    },
    tokens: await withReserves(rpc, artifacts, aave.pool, tokens),
    pools: await withAddresses(rpc, artifacts, uniswap.uniswapFactory, tokens, keys),
  };
}

function createTokens(deployer: Deployer, artifacts: DevnetArtifacts, marketMover: string): PlainTokens {
  const create = (symbol: TokenSymbol): PlainToken => {
    const { name, decimals, initialPriceUsd8 } = TOKENS[symbol];
    const address =
      symbol === 'WETH'
        ? artifacts.predeploys.weth.address
        : deployer.create(artifactOf(artifacts.own, 'MintableToken'), [name, symbol, decimals]);
    const description = `${symbol === 'WETH' ? 'ETH' : symbol} / USD`;
    const aggregator = deployer.create(artifactOf(artifacts.own, 'SettableAggregator'), [
      8,
      description,
      initialPriceUsd8,
      marketMover,
    ]);
    const feed = deployer.create(artifactOf(artifacts.own, 'AggregatorProxy'), [aggregator]);
    return { symbol, address, decimals, feed, aggregator };
  };
  return { WETH: create('WETH'), USDC: create('USDC'), cbETH: create('cbETH'), cbBTC: create('cbBTC') };
}

function createChimera(
  deployer: Deployer,
  { chimera: artifact }: DevnetArtifacts,
  accounts: Accounts,
  uniswapFactory: string,
  aavePool: string,
): string {
  const chimera = deployer.create(artifact, [deployer.address, accounts.treasury, uniswapFactory]);
  deployer.call(chimera, artifact.abi, 'setExecutor', [accounts.operator, true]);
  deployer.call(chimera, artifact.abi, 'setMarket', [aavePool, true]);
  return chimera;
}

/** More than pools, Aave and any walk of the prices need. */
function stockUsd8(depthUsd8: bigint): bigint {
  return AAVE_LIQUIDITY_USD8 + 20n * depthUsd8;
}

function mintTokens(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  tokens: PlainTokens,
  holders: readonly string[],
  depthUsd8: bigint,
): void {
  const { abi } = artifactOf(artifacts.own, 'MintableToken');
  for (const { symbol, address } of Object.values(tokens)) {
    if (symbol === 'WETH') continue; // wrapped, not minted
    const amount = amountWorth(symbol, stockUsd8(depthUsd8), TOKENS[symbol].initialPriceUsd8);
    for (const holder of holders) deployer.call(address, abi, 'mint', [holder, amount]);
  }
}

function supplyLiquidity(
  deployer: Deployer,
  artifacts: DevnetArtifacts,
  tokens: PlainTokens,
  supplier: string,
  depthUsd8: bigint,
  to: { marketMover: string; pool: string; positionManager: string },
): PoolKey[] {
  const weth = artifacts.predeploys.weth.abi;
  const from = supplier;
  const ether = amountWorth('WETH', stockUsd8(depthUsd8), TOKENS.WETH.initialPriceUsd8);
  deployer.call(tokens.WETH.address, weth, 'deposit', [], { from, valueWei: 2n * ether });
  deployer.call(tokens.WETH.address, weth, 'transfer', [to.marketMover, ether], { from });
  for (const { symbol, address } of Object.values(tokens)) {
    // WETH's ABI holds the ERC-20 functions that all tokens share.
    deployer.call(address, weth, 'approve', [to.pool, MaxUint256], { from });
    deployer.call(address, weth, 'approve', [to.positionManager, MaxUint256], { from });
    const amount = amountWorth(symbol, AAVE_LIQUIDITY_USD8, TOKENS[symbol].initialPriceUsd8);
    deployer.call(to.pool, poolAbi(artifacts), 'supply', [address, amount, supplier, 0], { from });
  }
  return fillPools(deployer, artifacts, to.positionManager, tokens, supplier, depthUsd8);
}

async function withReserves(
  rpc: RpcClient,
  artifacts: DevnetArtifacts,
  pool: string,
  tokens: PlainTokens,
): Promise<DevnetTokens> {
  const abi = interfaceOf(poolAbi(artifacts));
  const results = await rpc.batch(
    TOKEN_SYMBOLS.map((symbol) => ({
      method: 'eth_call',
      params: [
        { to: pool, data: abi.encodeFunctionData('getReserveData', [tokens[symbol].address]) },
        'latest',
      ],
    })),
  );
  const listed = TOKEN_SYMBOLS.map((symbol, i): [TokenSymbol, DevnetToken] => {
    const [reserve] = abi.decodeFunctionResult('getReserveData', String(results[i])) as unknown as [
      { id: bigint; aTokenAddress: string; variableDebtTokenAddress: string },
    ];
    const { aTokenAddress: aToken, variableDebtTokenAddress: variableDebtToken } = reserve;
    return [symbol, { ...tokens[symbol], aToken, variableDebtToken, reserveId: Number(reserve.id) }];
  });
  return Object.fromEntries(listed) as DevnetTokens;
}

async function withAddresses(
  rpc: RpcClient,
  artifacts: DevnetArtifacts,
  factory: string,
  tokens: PlainTokens,
  keys: readonly PoolKey[],
): Promise<DevnetPool[]> {
  const abi = interfaceOf(artifacts.uniswap.UniswapV3Factory.abi);
  const results = await rpc.batch(
    keys.map(({ token0, token1, fee }) => ({
      method: 'eth_call',
      params: [
        {
          to: factory,
          data: abi.encodeFunctionData('getPool', [tokens[token0].address, tokens[token1].address, fee]),
        },
        'latest',
      ],
    })),
  );
  return keys.map((key, i) => {
    const [address] = abi.decodeFunctionResult('getPool', String(results[i])) as unknown as [string];
    return { ...key, address };
  });
}
