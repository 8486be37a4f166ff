import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDevnet, type Devnet } from '../../../devnet/index.js';
import type { Hex } from '../../domain/hex.js';
import { Secret } from '../../domain/secret.js';
import { Chain } from '../chain/chain.js';
import { each, readAt } from '../chain/read.js';
import { RpcPool } from '../endpoints/rpc-pool.js';
import { feeRead, l1FeeCall } from './gas-price-oracle.js';
import { OpStackFees } from './op-stack-fees.js';

const ORACLE = '0x420000000000000000000000000000000000000F';
const GAS = 700_000n;

let devnet: Devnet;
let pool: RpcPool;
let chain: Chain;

beforeAll(async () => {
  devnet = await startDevnet();
  pool = new RpcPool({
    chainId: 31337,
    primary: { http: new Secret(devnet.rpcUrl) },
    timings: { deadlineMs: 20_000 },
  });
  chain = new Chain(pool);
});

afterAll(async () => {
  pool.close();
  await devnet.stop();
});

type Bytes = readonly number[];

const random = (maxLength: number): fc.Arbitrary<Bytes> =>
  fc.array(fc.nat({ max: 255 }), { maxLength, size: 'max' });
/** As calldata is: words with many zeros, some of which return. */
const word = fc
  .tuple(fc.nat({ max: 32 }), fc.array(fc.nat({ max: 255 }), { minLength: 32, maxLength: 32 }))
  .map(([zeros, bytes]) => bytes.map((byte, at) => (at < zeros ? 0 : byte)));
const again = fc
  .tuple(random(300), fc.integer({ min: 2, max: 4 }))
  .map(([bytes, times]) => Array.from({ length: times }, () => bytes).flat());
const run = fc
  .tuple(fc.nat({ max: 255 }), fc.integer({ min: 250, max: 540 }))
  .map(([byte, length]) => Array.from({ length }, () => byte));
const text = fc.oneof(
  random(20),
  random(600),
  fc
    .array(fc.oneof(word, again, run), { minLength: 2, maxLength: 24, size: 'max' })
    .map((parts) => parts.flat()),
);
/** Longer than what FastLZ looks back over. */
const long = fc
  .tuple(random(900), fc.integer({ min: 8_100, max: 8_300 }))
  .map(([bytes, gap]) => [...bytes, ...Array.from({ length: gap }, (_, at) => (at * at) % 251), ...bytes]);

const hexOf = (bytes: Bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`;

/** What the oracle says of each by itself, and what one read of all tells. */
async function asked(fees: OpStackFees, unsigned: readonly Hex[]) {
  const { hash } = await chain.getBlock('latest');
  const [oracle, estimates] = await Promise.all([
    readAt(chain, each(unsigned.map((one) => feeRead(l1FeeCall(one)))), hash, { chunk: 25 }),
    readAt(chain, fees.estimates(unsigned, GAS), hash),
  ]);
  return { oracle, ours: estimates.map((estimate) => estimate?.(GAS).l1Fee) };
}

describe('L1 fees of an OP-stack chain, with the real GasPriceOracle', () => {
  it('those that are computed here are those of the oracle, to the wei, of random texts', async () => {
    const seen = new Set<bigint>();
    const texts = fc.array(text.map(hexOf), { minLength: 50, maxLength: 50 });
    await fc.assert(
      fc.asyncProperty(texts, long.map(hexOf), async (many, longest) => {
        const { oracle, ours } = await asked(new OpStackFees(), [...many, longest]);
        expect(ours).toEqual(oracle);
        for (const fee of oracle) seen.add(fee);
      }),
      // To make a failing case smaller takes long on a chain.
      { numRuns: 8, endOnFailure: true },
    );
    expect(seen.size).toBeGreaterThan(100);
  });

  it('an oracle with another formula: the first fee is its own, no other is believed, and the next read asks for all', async () => {
    const fees = new OpStackFees();
    const unsigned = [400, 900, 700].map((length) =>
      hexOf(Array.from({ length }, (_, at) => (at * 7919) % 256)),
    );
    const snapshot = await devnet.snapshot();
    // Ecotone, and not Fjord: the fields of the contract are isEcotone and isFjord.
    await devnet.provider.send('anvil_setStorageAt', [ORACLE, hexWord(0), hexWord(1)]);
    const before = await asked(fees, unsigned);
    expect(before.ours).toEqual([before.oracle[0], undefined, undefined]);
    const after = await asked(fees, unsigned);
    expect(after.ours).toEqual(after.oracle);
    await devnet.revert(snapshot);
  });

  it('asks the oracle to measure one transaction, however many there are', () => {
    const { calls } = new OpStackFees().estimates(['0x01', '0x02', '0x03', '0x04', '0x05'], GAS);
    const [first] = calls;
    expect(first).toEqual(l1FeeCall('0x01'));
    expect(calls.filter(({ data }) => data.slice(0, 10) === first?.data.slice(0, 10))).toHaveLength(1);
  });
});

function hexWord(value: number): string {
  return `0x${value.toString(16).padStart(64, '0')}`;
}
