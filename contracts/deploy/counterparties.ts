/** The contracts that Chimera may call, taken from the bot's configuration. */
import type { DeploymentConfig } from '../../src/config/index.js';
import type { Address } from '../../src/domain/hex.js';
import type { Kind } from '../../src/contract/bindings.js';

export type KindName = Exclude<keyof typeof Kind, 'None'>;

/** A contract to list. */
export interface Counterparty {
  readonly address: Address;
  readonly kind: KindName;
  /** The configuration key that names it. */
  readonly keys: readonly string[];
}

/**
 * A counterparty as the file names it. An Aave market names its pool on chain only, in its
 * PoolAddressesProvider.
 */
export type Source = { readonly key: string; readonly kind: KindName } & (
  { readonly address: Address } | { readonly addressesProvider: Address }
);

/**
 * The address in a protocol's section that is to be listed. The configuration may accept fewer kinds than
 * stand here.
 */
export type ListedProtocol = { readonly name: string } & (
  | { readonly kind: 'aave-v3'; readonly addressesProvider: Address }
  | { readonly kind: 'compound-v2'; readonly comptroller: Address }
  | { readonly kind: 'morpho-blue'; readonly morpho: Address }
);

export interface CounterpartyConfig {
  readonly protocols: readonly ListedProtocol[];
  readonly liquidity: Pick<DeploymentConfig['liquidity'], 'factories' | 'flash' | 'wrappers'>;
}

/** As what our contract lists a factory of the configuration. */
const FACTORY_KINDS: Readonly<Record<DeploymentConfig['liquidity']['factories'][number]['kind'], KindName>> =
  {
    slipstream: 'Slipstream',
    'pancake-v3': 'PancakeV3',
    solidly: 'Solidly',
  };

const WRAPPER_KINDS: Readonly<Record<DeploymentConfig['liquidity']['wrappers'][number]['kind'], KindName>> = {
  erc4626: 'Erc4626',
  wsteth: 'Unwrapper',
};

/** Without Uniswap's factory, which is a part of the contract's code. */
export function sourcesOf({ protocols, liquidity }: CounterpartyConfig): Source[] {
  const { factories, flash, wrappers } = liquidity;
  const optional = (key: string, kind: KindName, address: Address | undefined): Source[] =>
    address === undefined ? [] : [{ key, kind, address }];
  return [
    ...protocols.map(marketOf),
    ...optional('liquidity.flash.morpho', 'MorphoBlue', flash?.morpho),
    ...optional('liquidity.flash.aavePool', 'AaveV3', flash?.aavePool),
    ...optional('liquidity.flash.balancerVault', 'BalancerV2', flash?.balancerVault),
    ...optional('liquidity.flash.balancerV3Vault', 'BalancerV3', flash?.balancerV3Vault),
    ...factories.map(({ name, kind, factory }) => ({
      key: `liquidity.factories (${name})`,
      kind: FACTORY_KINDS[kind],
      address: factory,
    })),
    ...wrappers.map(({ token, kind }) => ({
      key: `liquidity.wrappers (${token})`,
      kind: WRAPPER_KINDS[kind],
      address: token,
    })),
  ];
}

function marketOf(protocol: ListedProtocol): Source {
  const key = `protocols (${protocol.name})`;
  switch (protocol.kind) {
    case 'aave-v3':
      return { key, kind: 'AaveV3', addressesProvider: protocol.addressesProvider };
    case 'compound-v2':
      return { key, kind: 'CompoundV2', address: protocol.comptroller };
    case 'morpho-blue':
      return { key, kind: 'MorphoBlue', address: protocol.morpho };
  }
}

/**
 * Each contract once. A contract that is named as two kinds is a problem: it can be listed as one kind only.
 */
export function mergeCounterparties(all: readonly Counterparty[]): {
  readonly counterparties: readonly Counterparty[];
  readonly problems: readonly string[];
} {
  const merged = new Map<Address, Counterparty>();
  const problems: string[] = [];
  for (const one of all) {
    const { address, kind, keys } = one;
    const known = merged.get(address);
    if (known && known.kind !== kind)
      problems.push(
        `${keys.join(', ')}: ${address} is named as ${kind} here and as ${known.kind} by ${known.keys.join(', ')}; one of the two was expected`,
      );
    else merged.set(address, known ? { ...known, keys: [...known.keys, ...keys] } : one);
  }
  return { counterparties: [...merged.values()], problems };
}
