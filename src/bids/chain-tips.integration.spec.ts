import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../devnet/index.js';
import { configOf } from '../../testing/devnet-config.js';
import { AdjustableClock } from '../../testing/execution.js';
import { FakeRpc } from '../../testing/nodes/fake-rpc.js';
import { Secret } from '../domain/secret.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { ChainTips } from './chain-tips.js';

const GWEI = 10n ** 9n;
const MORE_BLOCKS_THAN_ARE_LOOKED_AT = 60;

describe('what the chain paid of late', () => {
  let devnet: Devnet;
  let node: FakeRpc;
  let pool: RpcPool;
  let clock: AdjustableClock;
  let tips: ChainTips;

  beforeAll(async () => {
    devnet = await startDevnet();
    node = await FakeRpc.start();
    node.forwardTo(devnet.rpcUrl);
    pool = new RpcPool({ chainId: devnet.chainId, primary: { http: new Secret(node.url('http')) } });
    clock = new AdjustableClock();
    tips = new ChainTips(pool, clock, configOf(devnet, { bidModel: 'least-that-wins' }));
  });

  afterAll(async () => {
    pool.close();
    await node.stop();
    await devnet.stop();
  });

  const pay = async (tipWei: bigint): Promise<void> => {
    const signer = devnet.signer(devnet.accounts.supplier);
    const fees = { maxFeePerGas: 10n * GWEI, maxPriorityFeePerGas: tipWei };
    await signer.sendTransaction({ to: devnet.accounts.supplier, ...fees });
  };

  it('is nothing when most blocks are empty, and what is paid when most are not', async () => {
    expect(tips.recent).toBeUndefined();
    await devnet.mine(MORE_BLOCKS_THAN_ARE_LOOKED_AT);
    await pay(3n * GWEI);
    await tips.ask();
    expect(tips.recent).toEqual({ usualWei: 0n, highWei: 0n });
    for (let block = 0; block < 30; block++) await pay(2n * GWEI);
    await tips.ask();
    expect(tips.recent).toEqual({ usualWei: 2n * GWEI, highWei: 2n * GWEI });
  });

  it('without an answer the last one counts for a minute', async () => {
    await tips.ask();
    const { recent } = tips;
    node.on('eth_feeHistory', () => ({ reward: [['0x1']] }));
    await tips.ask();
    expect(tips.recent).toEqual(recent);
    clock.putForward(61_000);
    expect(tips.recent).toBeUndefined();
  });
});
