/** The contract's creation code, and the address that follows from it. */
import { Interface, concat, getCreate2Address, id, keccak256 } from 'ethers';
import type { Artifact } from '../../devnet/artifacts/compile.js';
import { toAddress, type Address, type Hex } from '../../src/domain/hex.js';

/**
 * Arachnid's deterministic deployment proxy, at this address on nearly every chain. It takes salt and
 * creation code.
 */
export const CREATE2_PROXY: Address = '0x4e59b44847b379578588920ca78fbf26c0b4956c';

/**
 * keccak-256 of the text. Another text would put the same contract, with the same arguments, at another
 * address.
 */
export const SALT = id('chimera: liquidations without capital');

/**
 * The constructor's arguments. Owner and treasury can change later; factory and weth become part of the code.
 */
export interface ConstructorArguments {
  readonly owner: Address;
  readonly treasury: Address;
  /** Uniswap v3's. */
  readonly factory: Address;
  readonly weth: Address;
}

export interface Creation {
  readonly initCode: Hex;
  /** The address at which the proxy puts it. */
  readonly address: Address;
  /** The call that makes the proxy do so. */
  readonly call: { readonly to: Address; readonly data: Hex };
}

export function creationOf(
  artifact: Artifact,
  { owner, treasury, factory, weth }: ConstructorArguments,
): Creation {
  const encoded = new Interface(artifact.abi).encodeDeploy([owner, treasury, factory, weth]);
  const initCode = concat([artifact.bytecode, encoded]) as Hex;
  return {
    initCode,
    address: toAddress(getCreate2Address(CREATE2_PROXY, SALT, keccak256(initCode))),
    call: { to: CREATE2_PROXY, data: concat([SALT, initCode]) as Hex },
  };
}

/** Says where two codes differ; undefined when they are the same, byte for byte. */
export function codeDifference(found: Hex, expected: Hex): string | undefined {
  if (found === expected) return undefined;
  const bytes = (code: Hex): number => (code.length - 2) / 2;
  let index = 2;
  while (index < Math.min(found.length, expected.length) && found[index] === expected[index]) index++;
  return `it has ${bytes(found)} bytes, ${bytes(expected)} were expected, and the first that differs is number ${Math.floor((index - 2) / 2)}`;
}
