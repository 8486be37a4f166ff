import type { ChimeraConfig } from '../config/index.js';
import { SELECTORS as CHIMERA } from '../contract/bindings.js';
import { callWithAddress } from '../contract/contract.js';
import { chainDescription } from '../domain/chain-description.js';
import type { Address, Hash, Hex } from '../domain/hex.js';
import type { LendingMarket } from '../protocols/lending-market.js';
import type { Chain } from '../rpc/chain/chain.js';
import { each, readAt, together, type Read } from '../rpc/chain/read.js';
import {
  addressOf,
  counterpartiesOf,
  factoriesOf,
  lendersOf,
  unlisted,
  words,
  wrappersOf,
} from './check-contracts.js';

/** What our contract does not allow, by the question: one sentence each. */
export interface RoleProblems {
  /** It is another contract. Then nothing else was asked. */
  readonly kind: readonly string[];
  readonly executor: readonly string[];
  readonly paused: readonly string[];
  readonly factory: readonly string[];
  readonly wrappedNative: readonly string[];
  readonly listed: readonly string[];
}

/**
 * Asks our contract for everything that the bot needs of it.
 *
 * @param operator whether it is an executor is not asked without it
 * @returns as `named` the markets whose contract is one of their kind
 */
export async function roleProblems(
  chain: Chain,
  config: ChimeraConfig,
  markets: readonly LendingMarket[],
  { operator, block }: { readonly operator: Address | undefined; readonly block: Hash },
): Promise<{ readonly problems: RoleProblems; readonly named: readonly LendingMarket[] }> {
  const { chimera } = config.execution;
  const { chainId } = config.network;
  const found = await counterpartiesOf(chain, markets, block);
  const named = markets.filter((_, index) => typeof found[index] !== 'string');
  const ofMarkets = found
    .filter((one) => typeof one !== 'string')
    .map((one, index) => ({ ...one, key: `protocols (${named[index]?.name ?? ''})` }));
  const counterparties = [...ofMarkets, ...factoriesOf(config), ...lendersOf(config), ...wrappersOf(config)];
  const [executor, paused, factory, weth, kinds] = await readAt(
    chain,
    together(
      operator ? answer(chimera, callWithAddress('isExecutor', operator)) : { calls: [], decode: () => 1n },
      answer(chimera, CHIMERA.paused),
      answer(chimera, CHIMERA.factory),
      answer(chimera, CHIMERA.weth),
      each(counterparties.map(({ address }) => answer(chimera, callWithAddress('kindOf', address)))),
    ),
    block,
  );
  const none = { executor: [], paused: [], factory: [], wrappedNative: [], listed: [] };
  if (executor === undefined || paused === undefined || factory === undefined || weth === undefined) {
    const kind = `execution.chimera: the contract at ${chimera} does not answer as a Chimera contract does`;
    return { problems: { ...none, kind: [kind] }, named };
  }
  const { wrappedNative } = chainDescription(chainId);
  const problems: RoleProblems = {
    kind: [],
    executor: when(
      executor !== 1n,
      `execution.chimera: the operator wallet ${String(operator)} is no executor of ${chimera}; its owner has to call setExecutor`,
    ),
    paused: when(
      paused === 1n,
      `execution.chimera: the contract ${chimera} is paused; its owner has to call unpause`,
    ),
    factory: when(
      factory !== BigInt(config.liquidity.uniswapV3.factory),
      `liquidity.uniswapV3.factory: the contract ${chimera} accepts callbacks of another factory only; the two must be the same`,
    ),
    wrappedNative: when(
      weth !== BigInt(wrappedNative),
      `execution.chimera: the contract ${chimera} takes ${addressOf(weth)} for the wrapped native token; on chain ${chainId} it is ${wrappedNative}, and a contract deployed with it was expected`,
    ),
    listed: [...found.filter((one) => typeof one === 'string'), ...unlisted(chimera, counterparties, kinds)],
  };
  return { problems, named };
}

function when(isWrong: boolean, sentence: string): string[] {
  return isWrong ? [sentence] : [];
}

/** The first word of an answer; undefined when the call reverts or answers less than a word. */
function answer(to: Address, data: Hex): Read<bigint | undefined> {
  const { calls, decode } = words(to, data, 1);
  return { calls, decode: (results) => decode(results)?.[0] };
}
