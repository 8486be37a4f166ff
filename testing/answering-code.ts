import { id } from 'ethers';

/** Where the code below goes on when another function is called: the byte after its jump. */
const OTHERWISE_AT = 14;
export const REVERTS = '0x5f5ffd';

/** The code of a contract that answers one word to everything. */
export function answersAlways(word: bigint): string {
  return `0x7f${hex(word, 32)}5f5260205ff3`;
}

/** The code of a contract that answers these words to everything. */
export function answersWords(words: readonly bigint[]): string {
  const stored = words.map((word, index) => `7f${hex(word, 32)}61${hex(BigInt(32 * index), 2)}52`);
  return `0x${stored.join('')}61${hex(BigInt(32 * words.length), 2)}5ff3`;
}

/**
 * The code of a contract that answers one function with one word.
 *
 * @param signature of the function, for example `decimals()`.
 * @param otherwise runs for every other function; it has to be made for {@link OTHERWISE_AT}.
 */
export function answersTo(signature: string, word: bigint, otherwise = REVERTS.slice(2)): string {
  const selector = id(signature).slice(2, 10);
  const answer = hex(BigInt(OTHERWISE_AT + otherwise.length / 2), 1);
  return `0x5f3560e01c63${selector}1460${answer}57${otherwise}5b7f${hex(word, 32)}5f5260205ff3`;
}

/** For {@link answersTo}: another contract answers, with this contract's storage or with its own. */
export function passedOn(to: string, by: 'delegatecall' | 'staticcall'): string {
  const call = by === 'delegatecall' ? 'f4' : 'fa';
  // calldatacopy; the call; returndatacopy; return, or revert
  return `365f5f375f5f365f73${to.slice(2)}5a${call}3d5f5f3e6037573d5ffd5b3d5ff3`;
}

function hex(value: bigint, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, '0');
}
