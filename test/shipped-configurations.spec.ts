import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as aave from '@aave-dao/aave-address-book';
import { addressesRegistry, deployments } from '@morpho-org/blue-sdk';
import { ChainId, CHAIN_TO_ADDRESSES_MAP, WETH9 } from '@uniswap/sdk-core';
import { describe, expect, it } from 'vitest';
import { VARIABLES } from '../testing/configuration.js';
import { shippedFiles } from '../src/cli/init-file.js';
import { parseConfig } from '../src/config/index.js';
import { chainDescription } from '../src/domain/chain-description.js';
import { publicDoorProblem } from '../src/preflight/preflight.js';

const root = new URL('..', import.meta.url);
const textOf = (path: string): string => readFileSync(fileURLToPath(new URL(path, root)), 'utf8');
const CHIMERA = '0x2626664c2603336E57B271c5C0b26F421741e481';

interface AaveBook {
  readonly POOL_ADDRESSES_PROVIDER: string;
  readonly POOL: string;
  readonly ASSETS: Readonly<Record<string, { readonly UNDERLYING: string } | undefined>>;
}

interface Shipped {
  readonly name: string;
  readonly chainId: keyof typeof CHAIN_TO_ADDRESSES_MAP;
  /** By the names of the configured markets. */
  readonly markets: Readonly<Record<string, AaveBook>>;
  readonly feeds: { readonly ETH__USD: string };
  /** The name of the chain in @balancer-labs/v2-deployments, where the configuration names the vault. */
  readonly balancer?: string;
}

const SHIPPED: readonly Shipped[] = [
  { name: 'base', chainId: ChainId.BASE, markets: { aave: aave.AaveV3Base }, feeds: aave.ChainlinkBase },
  {
    name: 'ethereum',
    chainId: ChainId.MAINNET,
    markets: {
      aave: aave.AaveV3Ethereum,
      'aave-prime': aave.AaveV3EthereumLido,
      'aave-etherfi': aave.AaveV3EthereumEtherFi,
    },
    feeds: aave.ChainlinkEthereum,
    balancer: 'mainnet',
  },
  {
    name: 'optimism',
    chainId: ChainId.OPTIMISM,
    markets: { aave: aave.AaveV3Optimism },
    feeds: aave.ChainlinkOptimism,
    balancer: 'optimism',
  },
  {
    name: 'arbitrum',
    chainId: ChainId.ARBITRUM_ONE,
    markets: { aave: aave.AaveV3Arbitrum },
    feeds: aave.ChainlinkArbitrum,
    balancer: 'arbitrum',
  },
];

const lower = (address: string): string => address.toLowerCase();

function balancerVault(chain: string): string {
  const output: unknown = JSON.parse(
    textOf(`node_modules/@balancer-labs/v2-deployments/dist/tasks/20210418-vault/output/${chain}.json`),
  );
  return String(Reflect.get(Object(output), 'Vault'));
}

type MorphoContract = 'morpho' | 'adaptiveCurveIrm' | 'preLiquidationFactory';

/** What Morpho's package says of a contract on a chain: its address, or the block of its deployment. */
function morphoOn(registry: object, chainId: number, contract: MorphoContract): string {
  return String(Reflect.get(Object(Reflect.get(registry, chainId)), contract));
}

it('npx chimera init offers each configuration of the folder, and no other; compose.yaml is Base again', () => {
  const files = readdirSync(fileURLToPath(new URL('config/', root))).filter(
    (file) => file !== 'compose.yaml',
  );
  expect(files.sort()).toEqual(SHIPPED.map(({ name }) => `${name}.yaml`).sort());
  const offered = shippedFiles().map(({ chain, chainId }) => [chain, chainId]);
  expect(Object.fromEntries(offered)).toEqual(
    Object.fromEntries(SHIPPED.map(({ name, chainId }) => [name, chainId])),
  );
});

describe.each(SHIPPED)('config/$name.yaml', ({ name, chainId, markets, feeds, balancer }) => {
  const text = textOf(`config/${name}.yaml`);
  const config = parseConfig(text, { ...VARIABLES, CHIMERA_ADDRESS: CHIMERA });
  const { protocols, liquidity, oracles, network } = config;

  it('names the chain, its Aave markets, its price feed and its factory as the published packages do', () => {
    expect(network.chainId).toBe(chainId);
    const configured = protocols.flatMap((one) =>
      one.kind === 'aave-v3' ? [[one.name, one.addressesProvider] as const] : [],
    );
    expect(Object.fromEntries(configured)).toEqual(
      Object.fromEntries(
        Object.entries(markets).map(([key, book]) => [key, lower(book.POOL_ADDRESSES_PROVIDER)]),
      ),
    );
    expect(oracles.nativeUsdFeed).toBe(lower(feeds.ETH__USD));
    expect(liquidity.uniswapV3.factory).toBe(lower(CHAIN_TO_ADDRESSES_MAP[chainId].v3CoreFactoryAddress));
    expect(liquidity.flash?.morpho).toBe(lower(morphoOn(addressesRegistry, chainId, 'morpho')));
    expect(liquidity.flash?.aavePool).toBe(lower(markets['aave']?.POOL ?? ''));
    if (balancer !== undefined) expect(liquidity.flash?.balancerVault).toBe(lower(balancerVault(balancer)));
  });

  it('has the Morpho Blue of the chain from its first block on, as its package says', () => {
    const own = protocols.flatMap((one) => (one.kind === 'morpho-blue' ? [one] : []));
    expect(own).toMatchObject([
      {
        morpho: lower(morphoOn(addressesRegistry, chainId, 'morpho')),
        adaptiveCurveIrm: lower(morphoOn(addressesRegistry, chainId, 'adaptiveCurveIrm')),
        fromBlock: Number(morphoOn(deployments, chainId, 'morpho')),
        preLiquidationFactory: lower(morphoOn(addressesRegistry, chainId, 'preLiquidationFactory')),
        preLiquidationFromBlock: Number(morphoOn(deployments, chainId, 'preLiquidationFactory')),
        feeds: [],
      },
    ]);
  });

  it('its chain is described with the wrapped native token of the packages', () => {
    const { wrappedNative } = chainDescription(chainId);
    expect(wrappedNative).toBe(lower(WETH9[chainId]?.address ?? ''));
    expect(wrappedNative).toBe(lower(markets['aave']?.ASSETS['WETH']?.UNDERLYING ?? ''));
  });

  it('each address has its source in a comment beside it or above it, and is written with its checksum', () => {
    const lines = text.split('\n');
    for (const [index, line] of lines.entries()) {
      if (!/'0x[0-9a-fA-F]{40}'/.test(line) || line.trimStart().startsWith('#')) continue;
      const above = lines.slice(0, index).findLastIndex((one) => !one.includes('{ name:'));
      expect(`${line} ${lines[above] ?? ''}`, line).toMatch(/# .*(package|@|docs\.|github)/);
      expect(line).toMatch(/'0x(?=.*[A-F])(?=.*[a-f])/);
    }
  });

  it('a live bot with it starts, but on a chain with a public mempool only with a relay', () => {
    const { paths, allowPublicMempool } = config.execution;
    const execution = { mode: 'live' as const, paths, allowPublicMempool };
    expect(publicDoorProblem({ network, execution }).length > 0).toBe(
      chainDescription(chainId).publicMempool,
    );
  });
});
