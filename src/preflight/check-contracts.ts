import type { ChimeraConfig } from '../config/index.js';
import { Kind } from '../contract/bindings.js';
import { toAddress, uintAt, type Address, type Hash, type Hex } from '../domain/hex.js';
import type { Counterparty, LendingMarket } from '../protocols/lending-market.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, type Read } from '../rpc/chain/read.js';

const FACTORY_KINDS = {
  slipstream: { kind: Kind.Slipstream, description: 'a factory of Slipstream' },
  'pancake-v3': { kind: Kind.PancakeV3, description: 'a factory of Pancake v3' },
  solidly: { kind: Kind.Solidly, description: 'a factory of Solidly' },
} as const;
const LENDER_KINDS = {
  morpho: { kind: Kind.MorphoBlue, description: 'Morpho Blue' },
  aavePool: { kind: Kind.AaveV3, description: 'a pool of Aave v3' },
  balancerVault: { kind: Kind.BalancerV2, description: 'a vault of Balancer v2' },
  balancerV3Vault: { kind: Kind.BalancerV3, description: 'a vault of Balancer v3' },
} as const;
const WRAPPER_KINDS = {
  erc4626: { kind: Kind.Erc4626, description: 'an ERC-4626 vault' },
  wsteth: { kind: Kind.Unwrapper, description: 'a token that is unwrapped' },
} as const;
const WORD = 64;

/** A word that holds an address, as people write it. */
export function addressOf(word: bigint): Address {
  return toAddress(`0x${word.toString(16).padStart(40, '0').slice(-40)}`);
}

/** The first words of an answer; undefined when the call reverts or answers less. */
export function words(to: Address, data: Hex, count: number): Read<readonly bigint[] | undefined> {
  return {
    calls: [{ to, data }],
    decode: ([result]) =>
      result?.success && result.data.length >= 2 + count * WORD
        ? Array.from({ length: count }, (_, index) => uintAt(result.data, index))
        : undefined,
  };
}

/** What our own contract calls in each market. Where the configured contract is another: a sentence. */
export async function counterpartiesOf(
  chain: Chain,
  markets: readonly LendingMarket[],
  block: Hash,
): Promise<readonly (Counterparty | string)[]> {
  const reads = markets.map((market) => market.counterparty());
  // The answers are read before they are understood: an endpoint that does not serve is another problem.
  const raw = await readAt(
    chain,
    each(reads.map(({ calls }) => ({ calls, decode: (results) => results }))),
    block,
  );
  return reads.map(({ decode }, index) => {
    try {
      return decode(raw[index] ?? []);
    } catch {
      const [[key, address] = ['protocols', '']] = markets[index]?.contracts ?? [];
      return `${key}: the contract at ${address} does not name the contract that liquidates; another contract was expected here`;
    }
  });
}

/** What our own contract must have listed, with the key that names it. */
export type Listed = Counterparty & { readonly key: string };

/**
 * A sentence for each contract that ours does not list as what it is: it may not call it then.
 *
 * @param kinds what our contract says of each, in their order; undefined where it gave no answer.
 */
export function unlisted(
  chimera: Address,
  expected: readonly Listed[],
  kinds: readonly (bigint | undefined)[],
): string[] {
  return expected.flatMap(({ key, address, kind, description }, index) =>
    kinds[index] === BigInt(kind)
      ? []
      : [
          `${key}: the contract ${chimera} may not call ${address}; its owner has to list it as ${description} with setCounterparty`,
        ],
  );
}

/** The factories of pools. */
export function factoriesOf({ liquidity }: ChimeraConfig): readonly Listed[] {
  return liquidity.factories.map(({ name, kind, factory }) => ({
    key: `liquidity.factories (${name})`,
    address: factory,
    ...FACTORY_KINDS[kind],
  }));
}

/** The lenders. */
export function lendersOf({ liquidity: { flash } }: ChimeraConfig): readonly Listed[] {
  return Object.entries(LENDER_KINDS).flatMap(([name, kind]) => {
    const address = flash?.[name as keyof typeof LENDER_KINDS];
    return address ? [{ key: `liquidity.flash.${name}`, address, ...kind }] : [];
  });
}

/** The tokens that are taken apart. */
export function wrappersOf({ liquidity: { wrappers } }: ChimeraConfig): readonly Listed[] {
  return wrappers.map(({ token, kind }) => ({
    key: `liquidity.wrappers (${token})`,
    address: token,
    ...WRAPPER_KINDS[kind],
  }));
}
