/** The bot's own parts as production puts them together, over a market that is on no chain. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { id } from 'ethers';
import { parseConfig } from '../../src/config/index.js';
import type { Block } from '../../src/domain/block.js';
import { addressWord, uintWord, type Address, type Hash, type Hex } from '../../src/domain/hex.js';
import { WAD } from '../../src/domain/money.js';
import { Secret } from '../../src/domain/secret.js';
import { PriceGuard } from '../../src/oracles/price-guard.js';
import { AaveV3Reader } from '../../src/protocols/aave-v3/aave-v3.reader.js';
import type { AaveAccount, AaveMarket, Reserve } from '../../src/protocols/aave-v3/market.js';
import { Chain } from '../../src/rpc/chain/chain.js';
import type { MulticallCall, MulticallResult } from '../../src/rpc/chain/multicall3.js';
import { RpcPool } from '../../src/rpc/endpoints/rpc-pool.js';
import { FeedBook } from '../../src/oracles/feed-book.js';
import { AaveV3Market, type HealthFactorLimits } from '../../src/protocols/aave-v3/aave-v3-market.js';

import { numbered, type World } from './world.js';

const SELECTOR = {
  assetPrice: id('getAssetPrice(address)').slice(0, 10),
  sourceOfAsset: id('getSourceOfAsset(address)').slice(0, 10),
  aggregator: id('aggregator()').slice(0, 10),
  latestRoundData: id('latestRoundData()').slice(0, 10),
} as const;
const NOTHING: MulticallResult = { success: false, data: '0x' };

/** What a bot has that leaves the shipped configuration as it is. */
export const CONFIG = parseConfig(readFileSync(new URL('../../config/base.yaml', import.meta.url), 'utf8'), {
  RPC_PRIMARY_HTTP: 'http://127.0.0.1:1',
  DB_USER: 'nobody',
  CHIMERA_ADDRESS: numbered(1),
  OPERATOR_PRIVATE_KEY: `0x${randomBytes(32).toString('hex')}`,
});

/** As ProtocolsModule takes them from the configuration. */
export const LIMITS: HealthFactorLimits = {
  decideBelowWad: WAD,
  watchBelowWad: CONFIG.detector.watchBelowHealthFactorWad,
};

export const aggregatorOf = ({ id: reserveId }: Reserve): Address => numbered(5_000 + reserveId);
const feedOf = ({ id: reserveId }: Reserve): Address => numbered(4_000 + reserveId);

/** Answers what is asked of oracle and feeds, at the prices of the world. */
export class SyntheticChain extends Chain {
  readonly #answers = new Map<string, Hex>();

  constructor({ market, conditions: { prices, timestamp } }: World) {
    // Never asked: every question is answered here.
    super(new RpcPool({ chainId: 1, primary: { http: new Secret('http://127.0.0.1:1') } }));
    for (const reserve of market.reserves.values()) {
      const [feed, asset] = [feedOf(reserve), addressWord(reserve.asset)];
      const price = prices.get(reserve.asset) ?? 0n;
      const round = [1n, price, timestamp, timestamp, 1n];
      this.#answers.set(`${market.oracle}${SELECTOR.assetPrice}${asset}`, `0x${uintWord(price)}`);
      this.#answers.set(`${market.oracle}${SELECTOR.sourceOfAsset}${asset}`, `0x${addressWord(feed)}`);
      this.#answers.set(`${feed}${SELECTOR.aggregator}`, `0x${addressWord(aggregatorOf(reserve))}`);
      this.#answers.set(
        `${feed}${SELECTOR.latestRoundData}`,
        `0x${round.map((value) => uintWord(value)).join('')}`,
      );
    }
  }

  override multicallAs<T>(
    calls: readonly MulticallCall[],
    _block: Hash,
    decode: (results: MulticallResult[]) => T,
  ): Promise<T> {
    const results = calls.map(({ to, data }) => {
      const answer = this.#answers.get(`${to}${data}`);
      return answer === undefined ? NOTHING : { success: true, data: answer };
    });
    return Promise.resolve(decode(results));
  }
}

/** Reads a market and accounts out of our own books. */
class SyntheticReader extends AaveV3Reader {
  constructor(
    chain: Chain,
    private readonly synthetic: AaveMarket,
    private readonly accountOf: (address: Address) => AaveAccount,
  ) {
    super(chain);
  }

  override market(): Promise<AaveMarket> {
    return Promise.resolve(this.synthetic);
  }

  override accounts(_market: AaveMarket, addresses: readonly Address[]): Promise<AaveAccount[]> {
    return Promise.resolve(addresses.map(this.accountOf));
  }
}

export interface SyntheticState {
  readonly feeds: FeedBook;
  readonly market: AaveV3Market;
}

/**
 * A market that begins at a block with these accounts.
 *
 * @param accountOf what the chain would say of an account that is not followed yet.
 */
export async function syntheticState(
  { market: synthetic }: World,
  chain: Chain,
  start: Block,
  accounts: Iterable<AaveAccount>,
  accountOf: (address: Address) => AaveAccount,
): Promise<SyntheticState> {
  const guard = new PriceGuard(CONFIG);
  const feeds = new FeedBook(chain, CONFIG.oracles.nativeUsdFeed, guard);
  const reader = new SyntheticReader(chain, synthetic, accountOf);
  const sources = { chain, reader, feeds, guard };
  const market = new AaveV3Market(sources, synthetic, LIMITS);
  feeds.commitRange(await feeds.prepareRange(start));
  const step = await market.prepareRange(start, undefined, []);
  // Without a detour over their stored form, so that what is measured does not depend on it.
  market.commitRange({ ...step, saved: accounts }, start);
  return { feeds, market };
}
