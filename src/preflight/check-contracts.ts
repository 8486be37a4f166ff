import { id } from 'ethers';
import type { ChimeraConfig } from '../config/index.js';
import { toAddress, uintAt, type Address, type Hash, type Hex } from '../domain/hex.js';
import type { Counterparty, LendingMarket } from '../protocols/lending-market.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, type Read } from '../rpc/chain/read.js';

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;
const FACTORY = selector('factory()');
/** Of QuoterV2. The first Quoter takes its arguments in another form. */
const QUOTES = [
  selector('quoteExactInputSingle((address,address,uint256,uint24,uint160))'),
  selector('quoteExactOutputSingle((address,address,uint256,uint24,uint160))'),
];
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
      return `${key}: the contract at ${address} names no pool; another contract was expected here (not the pool itself)`;
    }
  });
}

/**
 * Whether the contracts of the price of the native token and of the venue are what their keys say.
 *
 * @param factory the one that our own contract accepts. A configured factory that differs has a sentence
 *   of its own.
 */
export async function checkContracts(
  chain: Chain,
  { liquidity }: ChimeraConfig,
  factory: bigint,
  block: Hash,
): Promise<string[]> {
  const { uniswapV3 } = liquidity;
  const [quoterFactory, quoterCode] = await Promise.all([
    readAt(chain, words(uniswapV3.quoter, FACTORY, 1), block),
    chain.getCode(uniswapV3.quoter),
  ]);
  const problems: string[] = [];
  const of = quoterFactory?.[0];
  if (of === undefined || !QUOTES.every((quote) => quoterCode.includes(quote.slice(2))))
    problems.push(
      `liquidity.uniswapV3.quoter: the contract at ${uniswapV3.quoter} is no QuoterV2; the QuoterV2 of Uniswap v3 was expected`,
    );
  else if (of !== BigInt(uniswapV3.factory) && of !== factory)
    problems.push(
      `liquidity.uniswapV3.quoter: the QuoterV2 at ${uniswapV3.quoter} belongs to the factory ${addressOf(of)}; one of the factory ${uniswapV3.factory} was expected`,
    );
  return problems;
}
