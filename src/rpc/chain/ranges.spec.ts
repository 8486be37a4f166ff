import { AbiCoder } from 'ethers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { blockOf, EMITTER, hashOf, logOf, TX, type FakeRpc } from '../../../testing/nodes/fake-rpc.js';
import { uintAt, uintWithin, uintWord, type Address } from '../../domain/hex.js';
import { Chain } from './chain.js';
import { readAt } from './read.js';
import { feeRead, l1FeeCall } from '../fees/gas-price-oracle.js';

const SENDER: Address = `0x${'22'.repeat(20)}`;
const BLOCK = hashOf(9);
const hex = (value: bigint): string => `0x${value.toString(16)}`;

const receipt = (fields: object = {}): object => ({
  transactionHash: TX,
  blockHash: BLOCK,
  blockNumber: '0x9',
  transactionIndex: '0x0',
  status: '0x1',
  from: SENDER,
  to: EMITTER,
  gasUsed: '0x5208',
  effectiveGasPrice: '0x1',
  l1Fee: '0x1',
  logs: [],
  ...fields,
});
const simulation = (fields: object = {}): object[] => [
  { calls: [{ status: '0x1', returnData: '0x', gasUsed: '0x5208', logs: [], ...fields }] },
];

/** What Multicall3 answers to calls that succeed with these data. */
const encodeAggregate3Results = (data: readonly string[]): string =>
  AbiCoder.defaultAbiCoder().encode(['tuple(bool,bytes)[]'], [data.map((bytes) => [true, bytes])]);

interface Kind {
  readonly method: string;
  readonly good: unknown;
  readonly bad: unknown;
  readonly ask: (chain: Chain) => Promise<unknown>;
}

const block = (fields: object): Kind => ({
  method: 'eth_getBlockByHash',
  good: blockOf(9),
  bad: { ...blockOf(9), ...fields },
  ask: (chain) => chain.getBlock(BLOCK),
});
const mined = (fields: object): Kind => ({
  method: 'eth_getTransactionReceipt',
  good: receipt(),
  bad: receipt(fields),
  ask: (chain) => chain.getTransactionReceipt(TX),
});
const simulated = (fields: object): Kind => ({
  method: 'eth_simulateV1',
  good: simulation(),
  bad: simulation(fields),
  ask: (chain) => chain.simulateV1([{ to: EMITTER, data: '0x' }], BLOCK),
});
const balance = (bad: bigint): Kind => ({
  method: 'eth_getBalance',
  good: hex(10n ** 18n),
  bad: hex(bad),
  ask: (chain) => chain.getBalance(SENDER),
});
const count = (bad: bigint): Kind => ({
  method: 'eth_getTransactionCount',
  good: '0x7',
  bad: hex(bad),
  ask: (chain) => chain.getTransactionCount(SENDER),
});
const read = (bad: bigint, ask: Kind['ask']): Kind => ({
  method: 'eth_call',
  good: encodeAggregate3Results([`0x${uintWord(5)}`]),
  bad: encodeAggregate3Results([`0x${uintWord(bad)}`]),
  ask,
});
const log = (fields: object): Kind => ({
  method: 'eth_getLogs',
  good: [logOf(9)],
  bad: [logOf(9, fields)],
  ask: (chain) => chain.getLogs({ blockHash: BLOCK }, [EMITTER], []),
});

/** At most 16, of any number of calls. */
const small = (chain: Chain): Promise<bigint> =>
  readAt(
    chain,
    {
      calls: [{ to: EMITTER, data: '0x' }],
      decode: ([result]) => uintWithin(result?.data ?? '0x', 0, 16n, 'the number'),
    },
    BLOCK,
  );
const l1Fee = (chain: Chain): Promise<bigint> => readAt(chain, feeRead(l1FeeCall('0x')), BLOCK);

describe('a number out of its range is a bad answer of that endpoint', () => {
  let fakes: FakePool;
  let chain: Chain;
  let primary: FakeRpc;
  let backup: FakeRpc;

  beforeEach(async () => {
    fakes = await startFakePool();
    ({ primary, backup } = fakes);
    chain = new Chain(fakes.pool);
  });
  afterEach(() => fakes.close());

  it.each<[string, Kind]>([
    ['a block number of 2^40', block({ number: hex(2n ** 40n) })],
    ['a timestamp of 2^40', block({ timestamp: hex(2n ** 40n) })],
    ['a base fee of 2^255', block({ baseFeePerGas: hex(2n ** 255n) })],
    ['a base fee of 10^16', block({ baseFeePerGas: hex(10n ** 16n) })],
    ['a receipt whose gas is 0', mined({ gasUsed: '0x0' })],
    ['a receipt whose gas is 2^64', mined({ gasUsed: hex(2n ** 64n) })],
    ['a receipt whose gas price is 2^255', mined({ effectiveGasPrice: hex(2n ** 255n) })],
    ['a receipt whose L1 fee is 100 ETH', mined({ l1Fee: hex(10n ** 20n) })],
    ['a receipt in block 2^53 - 1', mined({ blockNumber: hex(2n ** 53n - 1n) })],
    ['a receipt at place 2^32', mined({ transactionIndex: hex(2n ** 32n) })],
    ['a receipt whose status is 2', mined({ status: '0x2' })],
    ['a simulation whose gas is 0', simulated({ gasUsed: '0x0' })],
    ['a simulation whose gas is 2^256 - 1', simulated({ gasUsed: hex(2n ** 256n - 1n) })],
    ['a balance of 2^256 - 1', balance(2n ** 256n - 1n)],
    ['a transaction count of 2^49 - 1', count(2n ** 49n - 1n)],
    ['an L1 fee of 2^255', read(2n ** 255n, l1Fee)],
    ['an ABI number above what its reader allows', read(17n, small)],
    ['a log at place 2^32', log({ logIndex: hex(2n ** 32n) })],
  ])('F43 %s: the next endpoint is asked, and the first again later', async (_name, kind) => {
    primary.on(kind.method, () => kind.bad);
    backup.on(kind.method, () => kind.good);
    const right = await kind.ask(chain);
    expect(backup.seenOf(kind.method)).toHaveLength(1);

    backup.on(kind.method, () => kind.bad);
    await expect(kind.ask(chain)).rejects.toMatchObject({ kind: 'bad-answer', consequence: 'retry' });

    primary.on(kind.method, () => kind.good);
    expect(await kind.ask(chain)).toEqual(right);
  });

  it('F43 data that is too short for its reader is a bad answer too', async () => {
    const answer = (data: `0x${string}`) => () => encodeAggregate3Results([data]);
    const ask = (): Promise<bigint> =>
      readAt(
        chain,
        { calls: [{ to: EMITTER, data: '0x' }], decode: ([result]) => uintAt(result?.data ?? '0x', 0) },
        BLOCK,
      );
    primary.on('eth_call', answer('0x05'));
    backup.on('eth_call', answer(`0x${uintWord(5)}`));
    expect(await ask()).toBe(5n);
    primary.on('eth_call', answer(`0x${uintWord(6)}`));
    expect(await ask()).toBe(6n);
  });

  it('F43 an error of the reader that is no range is not the fault of an endpoint', async () => {
    primary.on('eth_call', () => encodeAggregate3Results(['0x']));
    const decode = (): never => {
      throw new Error('the call reverted');
    };
    await expect(readAt(chain, { calls: [{ to: EMITTER, data: '0x' }], decode }, BLOCK)).rejects.toThrow(
      /^the call reverted$/,
    );
    expect(backup.requests).toBe(0);
  });
});
