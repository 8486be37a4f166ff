import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { startDevnet, type Devnet } from '../devnet/index.js';
import type { Chain } from '../src/rpc/chain/chain.js';
import type { RpcPool } from '../src/rpc/endpoints/rpc-pool.js';
import { chainOf } from './chain.js';

/** A local chain for the tests of a file: each finds it as it was at first. */
export function onCleanChain(use: (started: { devnet: Devnet; chain: Chain }) => void): void {
  let devnet: Devnet;
  let pool: RpcPool;
  let clean: string;
  beforeAll(async () => {
    devnet = await startDevnet();
    const connection = chainOf(devnet);
    ({ pool } = connection);
    use({ devnet, chain: connection.chain });
  });
  beforeEach(async () => {
    clean = await devnet.snapshot();
  });
  afterEach(() => devnet.revert(clean));
  afterAll(async () => {
    pool.close();
    await devnet.stop();
  });
}
