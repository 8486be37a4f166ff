import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startFakePool, type FakePool } from '../../../testing/nodes/fake-pool.js';
import { EMITTER, hashOf, NodeRefusal, TX } from '../../../testing/nodes/fake-rpc.js';
import { Chain } from './chain.js';

const BLOCK = hashOf(100);
const CALL = { to: EMITTER, data: '0x' } as const;
const REVERT = `0x08c379a0${'00'.repeat(31)}20`;

let fakes: FakePool;
let chain: Chain;

beforeEach(async () => {
  fakes = await startFakePool();
  chain = new Chain(fakes.pool);
});

afterEach(() => fakes.close());

describe('eth_simulateV1 in the shape of each client', () => {
  it.each([
    ['anvil, older geth', { returnData: REVERT }],
    ['geth', { returnData: '0x', error: { code: 3, message: 'execution reverted', data: REVERT } }],
    ['reth', { returnData: '0x', error: { code: -32000, message: 'execution reverted', data: REVERT } }],
    ['nethermind', { returnData: null, error: { code: -32015, message: 'x', data: `Reverted ${REVERT}` } }],
    ['erigon', { error: { code: 3, message: 'execution reverted', data: { data: REVERT } } }],
  ])('%s: what a call reverted with is found', async (_client, fields) => {
    const reverted = { status: '0x0', gasUsed: '0x5208', ...fields };
    fakes.primary.on('eth_simulateV1', () => [{ calls: [reverted] }]);
    expect(await chain.simulateV1([CALL], BLOCK)).toMatchObject([{ success: false, returnData: REVERT }]);
  });

  it('a call that succeeds must have its data', async () => {
    const call = { status: '0x1', gasUsed: '0x5208', returnData: null };
    fakes.primary.on('eth_simulateV1', () => [{ calls: [call] }]);
    fakes.backup.on('eth_simulateV1', () => [{ calls: [{ ...call, returnData: '0x07' }] }]);
    expect(await chain.simulateV1([CALL], BLOCK)).toMatchObject([{ success: true, returnData: '0x07' }]);
  });
});

describe('a block that a node does not have yet', () => {
  it('F07 null in the place of a result: the next endpoint is asked, and the first keeps its health', async () => {
    fakes.primary.on('eth_call', () => null);
    fakes.backup.on('eth_call', () => '0x2a');
    for (let i = 0; i < 5; i++) expect(await chain.ethCall(CALL, BLOCK)).toBe('0x2a');
    expect(fakes.pool.status()[0]).toMatchObject({ state: 'ok', struggling: false });
    fakes.primary.on('eth_call', () => '0x2b');
    expect(await chain.ethCall(CALL, BLOCK)).toBe('0x2b');
  });

  it('F07 null from the only node: it is asked once more a moment later', async () => {
    let asked = 0;
    fakes.primary.on('eth_call', () => (++asked === 1 ? null : '0x2a'));
    fakes.backup.on('eth_call', () => new NodeRefusal(-32000, 'block height 100 is not available'));
    expect(await chain.ethCall(CALL, BLOCK)).toBe('0x2a');
  });
});

describe('a receipt before its block is sealed', () => {
  const receipt = {
    transactionHash: TX,
    blockHash: BLOCK,
    blockNumber: '0x64',
    transactionIndex: '0x0',
    status: '0x1',
    from: EMITTER,
    to: EMITTER,
    gasUsed: '0x5208',
    effectiveGasPrice: '0x1',
    logs: [],
  };

  it.each([
    ['no hash', { blockHash: null }],
    ['a hash of zeros', { blockHash: `0x${'00'.repeat(32)}` }],
    ['no number', { blockHash: null, blockNumber: null }],
  ])('a block with %s is not taken as mined, the sealed one is', async (_name, fields) => {
    fakes.primary.on('eth_getTransactionReceipt', () => ({ ...receipt, ...fields }));
    expect(await chain.getTransactionReceipt(TX)).toBeUndefined();
    fakes.primary.on('eth_getTransactionReceipt', () => receipt);
    expect(await chain.getTransactionReceipt(TX)).toMatchObject({ blockHash: BLOCK, status: 'success' });
  });
});
