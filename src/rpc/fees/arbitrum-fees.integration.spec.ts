import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../../devnet/index.js';
import { answersWords } from '../../../testing/answering-code.js';
import { chainOf } from '../../../testing/chain.js';
import type { Chain } from '../chain/chain.js';
import { readAt } from '../chain/read.js';
import type { RpcPool } from '../endpoints/rpc-pool.js';
import { ARB_GAS_INFO, posterFees, sizeOnL1 } from './arbitrum-fees.js';
import { chainFeesOf } from './fee-models.js';

const GWEI = 10n ** 9n;
/** Of a unit of data on L1, the least base fee, the base fee. Wei. */
const PRICES = [2n * GWEI, GWEI / 100n, GWEI / 50n] as const;

let devnet: Devnet;
let pool: RpcPool;
let chain: Chain;

beforeAll(async () => {
  devnet = await startDevnet({ chainId: 42161 });
  ({ chain, pool } = chainOf(devnet));
  const [perUnit, least, baseFee] = PRICES;
  const words = [perUnit * 2_240n, perUnit * 16n, 0n, least, baseFee - least, baseFee];
  await devnet.rpc('anvil_setCode', [ARB_GAS_INFO, answersWords(words)]);
});

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

describe('a chain with the id, the gas prices and the block gas limit of Arbitrum', () => {
  it('the prices are read by a multicall, together with everything else', async () => {
    const unsigned = [`0x02${'00ff'.repeat(400)}`, '0x02'] as const;
    const { hash } = await chain.getBlock('latest');
    const estimates = await readAt(chain, chainFeesOf('arbitrum').estimates(unsigned, 700_000n), hash);
    const [perUnit, leastBaseFeeWei, baseFeeWei] = PRICES;
    const prices = { perByteWei: perUnit * 16n, leastBaseFeeWei, baseFeeWei };
    expect(estimates.map((of) => of?.(1n))).toEqual(unsigned.map((one) => posterFees(sizeOnL1(one), prices)));
  });

  it('its blocks have a gas limit of 2^50', async () => {
    await devnet.rpc('evm_setBlockGasLimit', [`0x${(2n ** 50n).toString(16)}`]);
    await devnet.rpc('evm_mine', []);
    expect((await chain.getBlock('latest')).gasLimit).toBe(2n ** 50n);
  });
});
