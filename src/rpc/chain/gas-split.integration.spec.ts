import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../../devnet/index.js';
import { FakeRpc, NodeRefusal } from '../../../testing/nodes/fake-rpc.js';
import type { Hash, Hex } from '../../domain/hex.js';
import { Secret } from '../../domain/secret.js';
import { RpcPool } from '../endpoints/rpc-pool.js';
import { Chain } from './chain.js';
import { MULTICALL3, type MulticallCall, type MulticallResult } from './multicall3.js';

/** What the node of these tests spends on one eth_call. */
const GAS_CAP = 10_000_000;

/** Multicall3.getBlockNumber() */
const cheap: MulticallCall = { to: MULTICALL3, data: '0x42cbb15c' };
/** A power modulo a number of so many bytes: it takes at least (bytes / 8)^2 * 85 gas. */
const power = (bytes: number): MulticallCall => {
  const word = (value: number): string => value.toString(16).padStart(64, '0');
  const data: Hex = `0x${word(bytes)}${word(32)}${word(bytes)}${'00'.repeat(bytes)}${'ff'.repeat(32)}`;
  return { to: `0x${'5'.padStart(40, '0')}`, data };
};
const hungry = power(4_096); // 22M gas
const medium = power(384); // 0.2M gas

let devnet: Devnet;
let node: FakeRpc;
let pool: RpcPool;
let chain: Chain;
let block: Hash;

beforeAll(async () => {
  devnet = await startDevnet();
});

beforeEach(async () => {
  node = await FakeRpc.start();
  node.forwardTo(devnet.rpcUrl);
  node.on('eth_call', async ([call, at]) => {
    const capped = { ...(call as object), gas: `0x${GAS_CAP.toString(16)}` };
    const answer = (await devnet.provider.send('eth_call', [capped, at]).catch(() => undefined)) as unknown;
    return answer ?? new NodeRefusal(-32000, 'out of gas');
  });
  pool = new RpcPool({
    chainId: 31337,
    primary: { http: new Secret(node.url('http')) },
    timings: { deadlineMs: 20_000 },
  });
  chain = new Chain(pool);
  block = (await chain.getBlock('latest')).hash;
});

afterEach(async () => {
  pool.close();
  await node.stop();
});

afterAll(async () => {
  await devnet.stop();
});

describe('an eth_call that runs out of gas', () => {
  it('F47 a call that needs too much alone fails alone, and all others are answered', async () => {
    const calls = Array.from({ length: 60 }, (_, index) => ([10, 30].includes(index) ? hungry : cheap));
    const results = await chain.multicall(calls, block);
    expect(results).toHaveLength(60);
    for (const [index, result] of results.entries())
      if ([10, 30].includes(index)) expect(result).toMatchObject({ success: false, outOfGas: true });
      else expect(result.success).toBe(true);
    expect(node.seenOf('eth_call').length).toBeLessThan(20);
  });

  it('F47 calls that together need too much are asked in parts, and the size of the parts is remembered', async () => {
    const calls = Array.from({ length: 200 }, () => medium);
    const answered = async (): Promise<number> => {
      const before = node.seenOf('eth_call').length;
      const results = await chain.multicall(calls, block);
      expect(results.every(({ success }) => success)).toBe(true);
      return node.seenOf('eth_call').length - before;
    };
    const first = await answered();
    expect(await answered()).toBeLessThanOrEqual(first);
  });

  it('F47 a testimony whose reads need too much is completed in parts, and one that cannot be still is one', async () => {
    const calls = Array.from({ length: 200 }, (_, index) => (index === 150 ? hungry : medium));
    const read = { calls, decode: (results: readonly MulticallResult[]) => results };
    const simulations = [[cheap]];
    const request = { simulations, read, block };
    const [answer] = await chain.testimonies(request);
    const alone = await chain.testimony(request);
    for (const testimony of [answer?.value, alone]) {
      expect(testimony).toMatchObject({ block: { hash: block }, simulated: [[{ success: true }]] });
      expect(testimony?.values).toHaveLength(200);
      expect(testimony?.values.filter(({ success }) => !success)).toMatchObject([{ outOfGas: true }]);
    }
    expect(node.seenOf('eth_simulateV1')).toHaveLength(2);
  });

  it('F47 a revert with enough gas is an answer, and is not asked again', async () => {
    const reverting: MulticallCall = { to: MULTICALL3, data: '0x12345678' };
    const results = await chain.multicall([cheap, reverting, cheap], block);
    expect(results.map(({ success }) => success)).toEqual([true, false, true]);
    expect(results[1]).not.toHaveProperty('outOfGas');
    expect(node.seenOf('eth_call')).toHaveLength(1);
  });
});
