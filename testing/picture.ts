import { botConfig, newApiKeys, type BotSettings } from '../devnet/stack/bot-config.js';
import { operatorPrivateKey, type Devnet } from '../devnet/index.js';
import { parseConfig, type ChimeraConfig } from '../src/config/index.js';
import { toAddress } from '../src/domain/hex.js';
import { WAD } from '../src/domain/money.js';
import { FeedBook } from '../src/oracles/feed-book.js';
import { PriceGuard } from '../src/oracles/price-guard.js';
import { AaveV3Reader } from '../src/protocols/aave-v3/aave-v3.reader.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import { readAt } from '../src/rpc/chain/read.js';
import { roundRead } from '../src/oracles/chainlink.js';
import type { StateView } from '../src/state/state-view.js';
import { TrackedMarket } from '../src/state/tracked-market.js';

/** The configuration of a bot on this chain, as its own parser reads it. */
export function configOf(devnet: Devnet, settings: BotSettings = {}): ChimeraConfig {
  const nowhere = { host: '127.0.0.1', port: 1, database: 'none' };
  return parseConfig(botConfig(devnet, nowhere, newApiKeys(), settings), {
    RPC_PRIMARY_HTTP: devnet.rpcUrl,
    RPC_PRIMARY_WS: devnet.wsUrl,
    DB_USER: 'nobody',
    OPERATOR_PRIVATE_KEY: operatorPrivateKey,
  });
}

/** The state of these accounts at the latest block, built by the bot's own modules without a database. */
export async function viewOf(
  chain: Chain,
  config: ChimeraConfig,
  accounts: readonly string[],
): Promise<StateView> {
  const block = await chain.getBlock('latest');
  const markets = [];
  for (const protocol of config.protocols) {
    const tracked = new TrackedMarket(chain, new AaveV3Reader(chain), new PriceGuard(config), protocol, {
      decideBelowWad: WAD,
      watchBelowWad: config.detector.watchBelowHealthFactorWad,
    });
    await tracked.begin([], block);
    tracked.adopt(await tracked.read(accounts.map(toAddress), block.hash), [], undefined);
    const surroundings = await readAt(chain, tracked.surroundings(block.timestamp), block.hash);
    markets.push(tracked.view(surroundings, new FeedBook(chain)));
  }
  const native = await readAt(chain, roundRead(config.oracles.nativeUsdFeed), block.hash);
  return { block, nativePriceUsd8: native.answer, nativePriceTime: native.updatedAt, markets };
}
