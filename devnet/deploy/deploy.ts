/**
 * Puts the whole market on an empty chain: predeploys, tokens and feeds, lenders, exchanges, the Chimera
 * contract.
 */
import { parseEther, toQuantity } from 'ethers';
import { type DevnetArtifacts, artifactOf } from '../artifacts/artifacts.js';
import { deployAave, poolAbi, supplyAave } from './aave.js';
import { deployAerodrome, fillSlipstream, fillSolidly } from './aerodrome.js';
import { deployBalancer, fillBalancer } from './balancer.js';
import { deployChimera } from './chimera.js';
import { deployCompound, supplyCompound } from './compound.js';
import { deployMorpho, supplyMorpho } from './morpho.js';
import { deployPancake } from './pancake.js';
import { type PlainTokens, createTokens, mintTokens, stockUsd8 } from './tokens.js';
import { deployUniswap, fillPools } from './uniswap.js';
import { Deployer, interfaceOf } from './deployer.js';
import type { Accounts, Deployment, DevnetToken, DevnetTokens } from './deployment.js';
import { TOKEN_SYMBOLS, type TokenSymbol, UNISWAP_POOLS } from '../parameters.js';
import { setPredeploys } from './predeploys.js';
import type { RpcClient } from '../chain/rpc.js';
import { Supplier } from './supplier.js';
import { TransactionQueue } from '../chain/transactions.js';

/** Ether for the supplier, who wraps most of it. */
const SUPPLIER_ETHER = parseEther('5000000');

/**
 * Deploys everything in a handful of blocks. Automine must be off.
 * @param depthUsd8 worth of each side of each pool, USD with 8 decimals
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
  const { aerodrome, slipstream } = deployAerodrome(deployer, artifacts);
  const addresses = {
    ...aave,
    ...uniswap,
    ...deployCompound(deployer, artifacts, tokens),
    ...deployMorpho(deployer, artifacts, tokens),
    ...aerodrome,
    ...deployPancake(deployer, artifacts),
    balancerVault: deployBalancer(deployer, artifacts),
    multicall3: artifacts.multicall3.address,
    gasPriceOracle: artifacts.predeploys.gasPriceOracle.address,
    l1Block: artifacts.predeploys.l1Block.address,
    nativeUsdFeed: tokens.WETH.feed,
    marketMover,
  };
  const chimera = deployChimera(deployer, artifacts, accounts, addresses);
  mintTokens(deployer, artifacts, tokens, [accounts.supplier, marketMover], stockUsd8(depthUsd8));
  await queue.mine(mineOne);

  const { weth } = artifacts.predeploys;
  const supplier = new Supplier(deployer, tokens, weth.abi, accounts.supplier);
  const ether = supplier.worth('WETH', stockUsd8(depthUsd8));
  supplier.call(weth.address, weth.abi, 'deposit', [], 2n * ether);
  supplier.transfer('WETH', marketMover, ether);
  supplyAave(supplier, artifacts, aave);
  const pools = fillPools(supplier, artifacts, uniswap, UNISWAP_POOLS, depthUsd8);
  const slipstreamPools = fillSlipstream(supplier, artifacts, aerodrome, slipstream, depthUsd8);
  const solidlyPools = fillSolidly(supplier, artifacts, aerodrome, depthUsd8);
  supplyCompound(supplier, artifacts, addresses);
  supplyMorpho(supplier, artifacts, addresses);
  fillBalancer(supplier, addresses.balancerVault);
  await queue.mine(mineOne);

  return {
    addresses: { ...addresses, chimera },
    tokens: await withReserves(rpc, artifacts, aave.pool, tokens),
    pools,
    slipstreamPools,
    solidlyPools,
  };
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
