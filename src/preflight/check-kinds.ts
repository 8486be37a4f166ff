import { id } from 'ethers';
import type { ChimeraConfig } from '../config/index.js';
import { addressWord, uintWord, type Address, type Hex } from '../domain/hex.js';
import { each, type Read } from '../rpc/chain/read.js';
import { words } from './check-contracts.js';

/** A question that a contract of one kind answers, and no contract of another kind. */
interface Question {
  readonly signature: string;
  /** Words of its arguments. */
  readonly given?: string;
  readonly is?: (word: bigint) => boolean;
  readonly description: string;
}

const NOBODY: Address = '0x0000000000000000000000000000000000000001';
/** Two tokens and a parameter. Where there is no such pool, a factory answers the zero address. */
const ANY_POOL = `${addressWord(NOBODY)}${addressWord(NOBODY)}${uintWord(1)}`;
const isTrue = (word: bigint): boolean => word > 0n;

const UNISWAP_V3: Question = {
  // 0.3 %, which every factory of it has from its first day.
  ...{ signature: 'feeAmountTickSpacing(uint24)', given: uintWord(3_000), is: isTrue },
  description: 'a factory of Uniswap v3',
};

const FACTORIES: Readonly<Record<ChimeraConfig['liquidity']['factories'][number]['kind'], Question>> = {
  'pancake-v3': {
    // 0.25 %, which Uniswap does not have.
    ...{ signature: 'feeAmountTickSpacing(uint24)', given: uintWord(2_500), is: isTrue },
    description: 'a factory of Pancake v3',
  },
  slipstream: {
    signature: 'getPool(address,address,int24)',
    given: ANY_POOL,
    description: 'a factory of Slipstream',
  },
  solidly: {
    signature: 'getPool(address,address,bool)',
    given: ANY_POOL,
    description: 'a factory of Solidly',
  },
};

const LENDERS: Readonly<Record<keyof NonNullable<ChimeraConfig['liquidity']['flash']>, Question>> = {
  morpho: { signature: 'isIrmEnabled(address)', given: addressWord(NOBODY), description: 'Morpho Blue' },
  aavePool: { signature: 'FLASHLOAN_PREMIUM_TOTAL()', description: 'a pool of Aave v3' },
  balancerVault: {
    ...{ signature: 'getProtocolFeesCollector()', is: isTrue },
    description: 'a vault of Balancer v2',
  },
  balancerV3Vault: {
    ...{ signature: 'getReservesOf(address)', given: addressWord(NOBODY) },
    description: 'a vault of Balancer v3',
  },
};

const WRAPPERS: Readonly<Record<ChimeraConfig['liquidity']['wrappers'][number]['kind'], Question>> = {
  erc4626: { signature: 'asset()', is: isTrue, description: 'an ERC-4626 vault' },
  wsteth: { signature: 'stETH()', is: isTrue, description: 'a token that is unwrapped as wstETH is' },
};

/**
 * Whether each configured contract beside the markets is of its kind. The feed of the native token and the
 * markets are examined more closely elsewhere.
 *
 * @returns one sentence for each that is not.
 */
export function kindsRead({ liquidity }: Pick<ChimeraConfig, 'liquidity'>): Read<readonly string[]> {
  const { uniswapV3, factories, flash, wrappers } = liquidity;
  const asked: readonly (readonly [key: string, Address, Question])[] = [
    ['liquidity.uniswapV3.factory', uniswapV3.factory, UNISWAP_V3],
    ...factories.map(
      ({ name, kind, factory }) => [`liquidity.factories (${name})`, factory, FACTORIES[kind]] as const,
    ),
    ...(['morpho', 'aavePool', 'balancerVault', 'balancerV3Vault'] as const).flatMap((name) => {
      const address = flash?.[name];
      return address ? [[`liquidity.flash.${name}`, address, LENDERS[name]] as const] : [];
    }),
    ...wrappers.map(({ token, kind }) => [`liquidity.wrappers (${token})`, token, WRAPPERS[kind]] as const),
  ];
  const { calls, decode } = each(asked.map(([, address, question]) => answerRead(address, question)));
  return {
    calls,
    decode: (results) =>
      decode(results).flatMap((isOfKind, index) => {
        const [key, address, question] = asked[index] ?? [];
        if (isOfKind || !key || !question) return [];
        return [
          `${key}: the contract at ${address} does not answer ${question.signature} as ${question.description} does; ${question.description} was expected`,
        ];
      }),
  };
}

function answerRead(to: Address, { signature, given = '', is = () => true }: Question): Read<boolean> {
  const { calls, decode } = words(to, `${id(signature).slice(0, 10) as Hex}${given}`, 1);
  return {
    calls,
    decode: (results) => {
      const [word] = decode(results) ?? [];
      return word !== undefined && is(word);
    },
  };
}
