import { afterAll, beforeAll, expect, it } from 'vitest';

import { AnvilProcess } from '../../../devnet/chain/anvil.js';
import type { Block } from '../../domain/block.js';
import type { Address, Hash, Hex } from '../../domain/hex.js';
import { Secret } from '../../domain/secret.js';
import { Chain } from './chain.js';
import { excludes, isLogsBloom, makeUp, mayHold, type WatchedLogs } from './logs-bloom.js';
import { RpcPool } from '../endpoints/rpc-pool.js';

const SENDER: Address = '0x00000000000000000000000000000000000000aa';
/** Each logs the topic 42 when it is called. */
const EMITTERS = Array.from(
  { length: 24 },
  (_, index): Address => `0x${(0xe000 + index).toString(16).padStart(40, '0')}`,
);
const EMITTER_CODE = '0x602a5f5fa100';

/** The topic of each of these logs. */
const TOPIC: Hash = `0x${(42).toString(16).padStart(64, '0')}`;
const OTHER_TOPIC: Hash = `0x${'ab'.repeat(32)}`;

/** Whether the bloom may hold any log of one of these contracts. */
const mayHoldLogsOf = (bloom: Hex | undefined, addresses: readonly Address[]): boolean =>
  mayHold(bloom, new Map(addresses.map((address) => [address, []])));

let anvil: AnvilProcess;
let pool: RpcPool;
let chain: Chain;
let empty: Block;
/** In `third` every third emitter logged, in `single` only one. */
let third: Block;
let single: Block;

const rpc = (method: string, params: unknown[]): Promise<unknown> => pool.call(method, params, (raw) => raw);

async function blockWithLogsOf(emitters: readonly Address[]): Promise<Block> {
  for (const to of emitters) await rpc('eth_sendTransaction', [{ from: SENDER, to, gas: '0xc350' }]);
  await rpc('evm_mine', []);
  return chain.getBlock('latest');
}

beforeAll(async () => {
  anvil = await AnvilProcess.start({ chainId: 31337, port: 0, statesKept: 10 });
  pool = new RpcPool({ chainId: 31337, primary: { http: new Secret(anvil.url) } });
  chain = new Chain(pool);
  await rpc('anvil_setBalance', [SENDER, '0xde0b6b3a7640000']);
  await rpc('anvil_impersonateAccount', [SENDER]);
  for (const emitter of EMITTERS) await rpc('anvil_setCode', [emitter, EMITTER_CODE]);
  empty = await blockWithLogsOf([]);
  third = await blockWithLogsOf(EMITTERS.filter((_, index) => index % 3 === 0));
  single = await blockWithLogsOf(EMITTERS.slice(1, 2));
});

afterAll(async () => {
  pool.close();
  await anvil.stop();
});

const emittersOf = async ({ hash }: Block): Promise<Address[]> =>
  (await chain.getLogs({ blockHash: hash }, [], [])).map(({ address }) => address);

it('every emitter of a block of a real chain is in its bloom, and an address without logs is in none', async () => {
  for (const [block, count] of [
    [empty, 0],
    [third, 8],
    [single, 1],
  ] as const) {
    const emitters = await emittersOf(block);
    expect(emitters).toHaveLength(count);
    expect(block.logsBloom).toHaveLength(514);
    for (const emitter of emitters) expect(mayHoldLogsOf(block.logsBloom, [emitter])).toBe(true);
    expect(mayHoldLogsOf(block.logsBloom, [SENDER])).toBe(false);
    expect(mayHoldLogsOf(block.logsBloom, emitters)).toBe(count > 0);
    // One emitter in the list is enough, at any position.
    expect(mayHoldLogsOf(block.logsBloom, [SENDER, ...emitters])).toBe(count > 0);
  }
});

it('the bloom of a block of a real chain with one log holds no other emitter', () => {
  const held = EMITTERS.filter((emitter) => mayHoldLogsOf(single.logsBloom, [emitter]));
  expect(held).toEqual([EMITTERS[1]]);
  expect(EMITTERS.filter((emitter) => mayHoldLogsOf(empty.logsBloom, [emitter]))).toEqual([]);
});

it('a bloom that lacks one of the three bits of an address does not hold the address', () => {
  const emitter = EMITTERS[1]!;
  const bits = Array.from(single.logsBloom!.slice(2)).flatMap((digit, index) =>
    [1, 2, 4, 8]
      .filter((mask) => Number.parseInt(digit, 16) & mask)
      .map((mask) => ({ index: index + 2, mask })),
  );
  expect(bits).toHaveLength(6); // three of the address, three of the topic
  const without = ({ index, mask }: { index: number; mask: number }): Hex => {
    const digit = (Number.parseInt(single.logsBloom!.charAt(index), 16) & ~mask).toString(16);
    return `${single.logsBloom!.slice(0, index)}${digit}${single.logsBloom!.slice(index + 1)}` as Hex;
  };
  expect(bits.filter((bit) => !mayHoldLogsOf(without(bit), [emitter]))).toHaveLength(3);
  expect(mayHoldLogsOf(single.logsBloom!.toUpperCase().replace('X', 'x') as Hex, [emitter])).toBe(true);
});

it('without a bloom the block may hold logs, and without addresses it does not', () => {
  expect(mayHoldLogsOf(undefined, [SENDER])).toBe(true);
  expect(mayHoldLogsOf(single.logsBloom, [])).toBe(false);
});

it('F44 a bloom tells which watched logs an answer lacks, by contract and topic', () => {
  const [absent, emitter, next] = EMITTERS as [Address, Address, Address];
  const watch = (...topics: Hash[]): WatchedLogs =>
    new Map([
      [absent, [TOPIC]],
      [emitter, topics],
    ]);
  const log = { address: emitter, topics: [TOPIC] };
  expect(mayHold(single.logsBloom, watch(TOPIC))).toBe(true);
  expect(mayHold(single.logsBloom, watch(OTHER_TOPIC))).toBe(false);
  expect(mayHold(single.logsBloom, watch(OTHER_TOPIC, TOPIC))).toBe(true);
  // What the answer held explains it. A log of another contract, or with another topic, does not.
  expect(mayHold(single.logsBloom, watch(TOPIC), [log])).toBe(false);
  expect(mayHold(single.logsBloom, watch(), [log])).toBe(false);
  expect(mayHold(single.logsBloom, watch(TOPIC), [{ ...log, address: next }])).toBe(true);
  expect(mayHold(single.logsBloom, watch(TOPIC), [{ ...log, topics: [OTHER_TOPIC] }])).toBe(true);
});

it('F44 a bloom excludes invented logs, and knows the whole of its block', async () => {
  const logs = await chain.getLogs({ blockHash: third.hash }, [], []);
  expect(logs.filter((log) => excludes(third.logsBloom, log))).toEqual([]);
  expect(excludes(third.logsBloom, { address: SENDER, topics: [TOPIC] })).toBe(true);
  expect(excludes(third.logsBloom, { address: EMITTERS[0]!, topics: [OTHER_TOPIC] })).toBe(true);
  expect(excludes(undefined, { address: SENDER, topics: [TOPIC] })).toBe(false);

  expect(makeUp(third.logsBloom!, logs)).toBe(true);
  expect(makeUp(third.logsBloom!, logs.slice(1))).toBe(false);
  expect(makeUp(third.logsBloom!, [...logs, { address: SENDER, topics: [] }])).toBe(false);
  expect([makeUp(empty.logsBloom!, []), makeUp(third.logsBloom!, [])]).toEqual([true, false]);
});

it('the bits of few addresses are kept, and dropped ones are computed again', () => {
  for (let index = 0; index < 5_000; index++)
    mayHoldLogsOf(third.logsBloom, [`0x${index.toString(16).padStart(40, '1')}`]);
  expect(mayHoldLogsOf(single.logsBloom, [EMITTERS[1]!])).toBe(true);
  expect(mayHoldLogsOf(single.logsBloom, [EMITTERS[2]!])).toBe(false);
});

it.each([
  ['nothing', undefined, false],
  ['empty data', '0x', false],
  ['a bloom of 255 bytes', `0x${'00'.repeat(255)}`, false],
  ['a bloom that is not hex', `0x${'0g'.repeat(256)}`, false],
  ['a bloom of 256 bytes', `0x${'00'.repeat(256)}` satisfies Hash, true],
])('whether %s is a bloom: %s → %s', (_name, raw, expected) => {
  expect(isLogsBloom(raw)).toBe(expected);
});
