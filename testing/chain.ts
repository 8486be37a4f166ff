import type { Devnet } from '../devnet/index.js';
import { Secret } from '../src/domain/secret.js';
import { Chain } from '../src/rpc/chain/chain.js';
import { RpcPool } from '../src/rpc/endpoints/rpc-pool.js';

/** The bot's connection to a local chain. Close the pool when done. */
export function chainOf(devnet: Devnet): { chain: Chain; pool: RpcPool } {
  const pool = new RpcPool({ chainId: devnet.chainId, primary: { http: new Secret(devnet.rpcUrl) } });
  return { chain: new Chain(pool), pool };
}
