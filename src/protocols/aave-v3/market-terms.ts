import { HaltError } from '../../domain/errors.js';
import type { Address, Hash } from '../../domain/hex.js';
import { sourceRead } from '../../oracles/chainlink.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { each, readAt, type Read } from '../../rpc/chain/read.js';
import type { AaveV3Reader } from './aave-v3.reader.js';
import { pricedAddresses, type AaveMarket } from './market.js';
import { MarketRefused } from '../market-refused.js';
import { addressRead, conditionsRead, SELECTORS } from './reads.js';

/** Hex digits of an answer of one word, with its 0x. */
const ONE_WORD = 66;

export interface MarketSettings {
  readonly name: string;
  readonly addressesProvider: Address;
}

/** The market and the feeds behind its prices. */
export interface MarketTerms {
  readonly market: AaveMarket;
  /** By what the oracle is asked for. */
  readonly sources: ReadonlyMap<Address, Address>;
}

export interface MarketAtStart {
  readonly problems: readonly string[];
  /** Why this market is left alone, while others may be worked on. */
  readonly refusal?: string;
  /** USD8. */
  readonly priceUsd8: bigint | undefined;
}

/** Whether the market's rules are known, and what its oracle says of an asset. @throws RetryError */
export async function examineMarket(
  { chain, reader }: { readonly chain: Chain; readonly reader: AaveV3Reader },
  { name, addressesProvider }: MarketSettings,
  block: Hash,
  asset: Address,
): Promise<MarketAtStart> {
  const pool = await readAt(
    chain,
    addressRead(addressesProvider, SELECTORS.getPool, `${name}: the pool`),
    block,
  );
  if (!(await readAt(chain, hasRevision(pool), block)))
    return {
      problems: [
        `protocols (${name}): the pool ${pool} has no POOL_REVISION; the addresses provider of an Aave v3 market was expected`,
      ],
      priceUsd8: undefined,
    };
  try {
    const market = await reader.market(name, addressesProvider, block);
    const { prices } = await readAt(
      chain,
      conditionsRead({ ...market, sentinel: undefined }, 0, [asset]),
      block,
    );
    return { problems: [], priceUsd8: prices.get(asset) };
  } catch (error) {
    if (error instanceof MarketRefused)
      return { problems: [], refusal: `protocols (${name}): ${error.message}`, priceUsd8: undefined };
    if (!(error instanceof HaltError)) throw error;
    return { problems: [`protocols (${name}): ${error.message}`], priceUsd8: undefined };
  }
}

function hasRevision(pool: Address): Read<boolean> {
  return {
    calls: [{ to: pool, data: SELECTORS.poolRevision }],
    decode: ([answer]) => answer?.success === true && answer.data.length === ONE_WORD,
  };
}

/** Everything but the positions, at a block. @throws RetryError when the chain cannot be read. */
export async function readTerms(
  chain: Chain,
  reader: AaveV3Reader,
  { name, addressesProvider }: MarketSettings,
  block: Hash,
): Promise<MarketTerms> {
  const market = await reader.market(name, addressesProvider, block);
  const assets = pricedAddresses(market);
  const sources = await readAt(chain, each(assets.map((asset) => sourceRead(market.oracle, asset))), block);
  return {
    market,
    sources: new Map(
      assets.flatMap((asset, index) => {
        const source = sources[index];
        return source ? [[asset, source] as const] : [];
      }),
    ),
  };
}
