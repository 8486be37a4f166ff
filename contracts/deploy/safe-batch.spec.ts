import { getAddress } from 'ethers';
import { describe, expect, it } from 'vitest';
import type { Address } from '../../src/domain/hex.js';
import { batchChecksum, safeBatch } from './safe-batch.js';

const ACCOUNT = '0x49d4450977E2c95362C13D3a31a09311E0Ea26A6';
const method = (name: string, input: object): object => ({ inputs: [input], name, payable: false });

/** The case of safe-global/safe-react-apps, apps/tx-builder/src/lib/checksum.test.js. */
const GOLDEN = {
  version: '1.0',
  chainId: '4',
  createdAt: 1646321521061,
  meta: {
    name: 'test batch file',
    txBuilderVersion: '1.4.0',
    checksum: '',
    createdFromSafeAddress: '0xDF8a1Ce35c9a6ACE153B4e0767942f1E2291a1Aa',
    createdFromOwnerAddress: ACCOUNT,
  },
  transactions: [
    {
      to: ACCOUNT,
      value: '0',
      contractMethod: method('testAddress', {
        internalType: 'address',
        name: 'paramAddress',
        type: 'address',
      }),
      contractInputsValues: { paramAddress: ACCOUNT },
    },
    {
      to: ACCOUNT,
      value: '0',
      contractMethod: method('testBool', { internalType: 'bool', name: 'paramBool', type: 'bool' }),
      contractInputsValues: { paramAddress: '', paramBool: 'false' },
    },
    {
      to: ACCOUNT,
      value: '2000000000000000000',
      data: '0x42f4579000000000000000000000000049d4450977e2c95362c13d3a31a09311e0ea26a6',
    },
  ],
};

describe("a file for Safe's Transaction Builder", () => {
  it("has the builder's checksum, whatever the order of keys and the name", () => {
    const checksum = '0x4ecbfd364aa6759983915644e73f8bd411e85a2dc306f252a387c2728c4db64c';
    expect(batchChecksum(GOLDEN)).toBe(checksum);
    const { version, ...others } = GOLDEN;
    const reordered = { ...others, version, meta: { ...GOLDEN.meta, name: 'other' } };
    expect(batchChecksum(reordered)).toBe(checksum);
    const changed = { ...GOLDEN, chainId: '5' };
    expect(batchChecksum(changed)).not.toBe(checksum);
  });

  it('holds each call, without value, for the chain and the Safe', () => {
    const [safe, to]: Address[] = [`0x${'5a'.repeat(20)}`, `0x${'c0'.repeat(20)}`];
    const call = { to: to!, data: '0x1234', call: 'setExecutor(…)', meaning: 'may liquidate' } as const;
    const batch = safeBatch(8453, safe!, [call], 1_700_000_000_000);
    expect(batch).toMatchObject({
      version: '1.0',
      chainId: '8453',
      createdAt: 1_700_000_000_000,
      meta: {
        createdFromSafeAddress: getAddress(safe!),
        description: 'setExecutor(…): may liquidate',
      },
      transactions: [{ to: getAddress(to!), value: '0', data: '0x1234' }],
    });
    const { checksum, ...meta } = batch.meta;
    expect(batchChecksum({ ...batch, meta })).toBe(checksum);
  });
});
