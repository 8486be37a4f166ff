import { id } from 'ethers';
import {
  addressAt,
  addressWord,
  amountAt,
  MOST_128_BITS,
  uintAt,
  uintWord,
  type Address,
  type Hex,
} from '../../domain/hex.js';
import { min } from '../../domain/money.js';
import { each, type Read } from '../../rpc/chain/read.js';
import { firstWord } from '../first-word.js';
import { WrapperPool } from './wrapper-pool.js';

/** A token that the configuration names. */
export interface ConfiguredWrapper {
  readonly token: Address;
  readonly kind: WrapperKindName;
}

/** So many units are asked for, so that a rate has enough digits, whatever the decimals. */
const PROBE = 10n ** 24n;

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;

/** How tokens of one kind are asked. */
interface WrapperKind {
  /** asset() and its like. */
  readonly inside: Hex;
  /** What comes out for an amount of it, as a uint256 in the first argument. */
  readonly rate: Hex;
  /**
   * How much an account may take apart at once; undefined: there is no limit. Our own contract holds nothing
   * now, so that another holder is asked.
   */
  readonly most: Hex | undefined;
}

export const WRAPPER_KINDS = {
  /** ERC-4626: shares are redeemed. */
  erc4626: {
    inside: selector('asset()'),
    rate: selector('previewRedeem(uint256)'),
    most: selector('maxRedeem(address)'),
  },
  /** wstETH and its like are unwrapped. */
  wsteth: {
    inside: selector('stETH()'),
    rate: selector('getStETHByWstETH(uint256)'),
    most: undefined,
  },
} as const satisfies Readonly<Record<string, WrapperKind>>;

export type WrapperKindName = keyof typeof WRAPPER_KINDS;

/**
 * The wrapper at a block; undefined where it does not answer, or lets nothing out.
 *
 * @param holder an account that holds much of it.
 */
export function wrapperRead(
  { token, kind }: ConfiguredWrapper,
  holder: Address | undefined,
): Read<WrapperPool | undefined> {
  const { inside, rate, most } = WRAPPER_KINDS[kind];
  const questions: Hex[] = [inside, `${rate}${uintWord(PROBE)}`];
  if (most && holder) questions.push(`${most}${addressWord(holder)}`);
  const { calls, decode } = each(questions.map((data) => firstWord(token, data)));
  return {
    calls,
    decode: (results) => {
      const [insideWord, rateWord, mostWord] = decode(results);
      // A vault whose limit is not known may let nothing out.
      if (!insideWord || !rateWord || (most && !mostWord)) return undefined;
      const out = amountAt(rateWord, 0, 'the rate of a wrapper');
      // Vaults without a limit answer with the largest number.
      const limit = mostWord ? min(uintAt(mostWord, 0), MOST_128_BITS) : MOST_128_BITS;
      const address = addressAt(insideWord, 0);
      if (out === 0n || limit === 0n || address === token) return undefined;
      return new WrapperPool({
        ...{ kind, wrapper: token, inside: address, most: limit },
        rate: { shares: PROBE, out },
      });
    },
  };
}
