import { operatorPrivateKey, type Devnet } from '../devnet/index.js';
import { botConfig, newApiKeys, type BotSettings } from '../devnet/stack/bot-config.js';
import { parseConfig, type ChimeraConfig } from '../src/config/index.js';

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
