import type { Address, Hash } from '../../domain/hex.js';
import { addressAt } from '../../domain/hex.js';
import { latestRoundRead } from '../../oracles/chainlink.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { each, readAt, together, type Read } from '../../rpc/chain/read.js';
import type { MorphoBlueSettings } from './followed-market.js';
import { SELECTORS } from './reads.js';
import { decimalsRead } from './tokens.js';

/** USD feeds of Chainlink have 8 decimals. */
const USD_DECIMALS = 8;

/**
 * Whether the contracts are what the configuration says, and what a feed says of an asset.
 *
 * @throws RetryError
 */
export async function examineMorpho(
  chain: Chain,
  { name, morpho, adaptiveCurveIrm, preLiquidationFactory: factory, feeds }: MorphoBlueSettings,
  block: Hash,
  asset: Address,
): Promise<{ readonly problems: readonly string[]; readonly priceUsd8: bigint | undefined }> {
  const feed = feeds.find(({ token }) => token === asset)?.feed;
  const [owner, ofIrm, ofFactory, decimals, round] = await readAt(
    chain,
    together(
      optionalAddress(morpho, SELECTORS.owner),
      optionalAddress(adaptiveCurveIrm, SELECTORS.morphoOfIrm),
      each(factory ? [optionalAddress(factory, SELECTORS.morphoOfIrm)] : []),
      each(feeds.map((one) => decimalsRead(one.feed))),
      each(feed ? [latestRoundRead(feed)] : []),
    ),
    block,
  );
  const problems = [
    ...(owner === undefined
      ? [`protocols (${name}): ${morpho} does not answer owner(); the contract of Morpho Blue was expected`]
      : []),
    ...(ofIrm === morpho
      ? []
      : [`protocols (${name}): ${adaptiveCurveIrm} is not the AdaptiveCurveIrm of the Morpho at ${morpho}`]),
    ...(factory && ofFactory[0] !== morpho
      ? [`protocols (${name}): ${factory} is not the PreLiquidationFactory of the Morpho at ${morpho}`]
      : []),
    ...feeds.flatMap((one, index) =>
      decimals[index] === USD_DECIMALS
        ? []
        : [
            `protocols (${name}): the feed ${one.feed} of ${one.token} has ${decimals[index] ?? 'no'} decimals; a feed in USD with ${USD_DECIMALS} was expected`,
          ],
    ),
  ];
  return { problems, priceUsd8: round[0]?.answer };
}

function optionalAddress(to: Address, data: `0x${string}`): Read<Address | undefined> {
  return {
    calls: [{ to, data }],
    decode: ([result]) =>
      result?.success && result.data.length >= 66 ? addressAt(result.data, 0) : undefined,
  };
}
