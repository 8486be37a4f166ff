import { HDNodeWallet, SigningKey, Transaction, Wallet } from 'ethers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Hex } from '../domain/hex.js';
import type { TransactionCall } from '../domain/plan.js';
import { Secret } from '../domain/secret.js';
import { withoutSignature } from '../rpc/chain/transaction-bytes.js';
import { Signer } from './signer.js';

const BASE = 8453;
/** Where any key may sign. */
const LOCAL = 31_337;
/** Of the group of secp256k1: a key is below it. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const KEY = '0x8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63';
const TEST_MNEMONIC = 'test test test test test test test test test test test junk';

const call: TransactionCall = {
  to: '0x00000000000000000000000000000000000000c1',
  data: '0x12345678',
  gasLimit: 700_000n,
  maxFeePerGas: 9_000_000n,
  maxPriorityFeePerGas: 2_000_000n,
};

const hexOf = (minLength: number, maxLength: number): fc.Arbitrary<Hex> =>
  fc.uint8Array({ minLength, maxLength }).map((bytes): Hex => `0x${Buffer.from(bytes).toString('hex')}`);

const refusalOf = (key: string, chainId: number): string => {
  try {
    Signer.fromSecret(new Secret(key), chainId);
    return 'accepted';
  } catch (error) {
    return error instanceof Error ? error.message : 'not an error';
  }
};

describe('Signer', () => {
  it('signs exactly the plan, as an EIP-1559 transaction of this chain without value, and knows its hash before it is sent', () => {
    const signer = Signer.fromSecret(new Secret(KEY), BASE);
    const signed = signer.sign(call, 7);
    const decoded = Transaction.from(signed.raw);
    expect(decoded.hash).toBe(signed.hash);
    expect(decoded.from).toBe(new Wallet(KEY).address);
    expect(signer.address).toBe(new Wallet(KEY).address.toLowerCase());
    expect(decoded).toMatchObject({
      type: 2,
      chainId: 8453n,
      nonce: 7,
      value: 0n,
      data: call.data,
      gasLimit: call.gasLimit,
      maxFeePerGas: call.maxFeePerGas,
      maxPriorityFeePerGas: call.maxPriorityFeePerGas,
    });
    expect(decoded.to?.toLowerCase()).toBe(call.to);
  });

  it('makes the very bytes that ethers makes, of random calls and of those at the edges of the encoding', () => {
    const random = fc.record({
      nonce: fc.oneof(fc.constantFrom(0, 127, 128, 255, 256), fc.nat({ max: 2 ** 40 })),
      to: hexOf(20, 20),
      data: fc.oneof(hexOf(0, 2), hexOf(54, 57), hexOf(250, 260), hexOf(0, 3_000)),
      gasLimit: fc.bigInt(0n, 2n ** 64n - 1n),
      maxPriorityFeePerGas: fc.oneof(fc.constantFrom(0n, 127n, 128n, 255n), fc.bigInt(0n, 2n ** 128n)),
      aboveTip: fc.oneof(fc.constant(0n), fc.bigInt(0n, 2n ** 255n)),
    });
    fc.assert(
      fc.property(random, hexOf(32, 32), ({ nonce, aboveTip, ...rest }, key) => {
        const of = { ...rest, maxFeePerGas: rest.maxPriorityFeePerGas + aboveTip };
        fc.pre(BigInt(key) > 0n && BigInt(key) < ORDER);
        const theirs = Transaction.from({ ...of, type: 2, chainId: LOCAL, nonce, value: 0n });
        theirs.signature = new SigningKey(key).sign(theirs.unsignedHash);
        const ours = Signer.fromSecret(new Secret(key), LOCAL).sign(of, nonce);
        expect(ours).toEqual({ nonce, hash: theirs.hash, raw: theirs.serialized });
        expect(withoutSignature(ours.raw)).toBe(theirs.unsignedSerialized);
      }),
      { numRuns: 150 },
    );
  });

  it('signs nothing that is not hex, no negative number, and no tip above the whole fee', () => {
    const signer = Signer.fromSecret(new Secret(KEY), BASE);
    for (const data of ['0x123', '0x12zz', '0xabcdxy'] as const)
      expect(() => signer.sign({ ...call, data }, 1)).toThrow(TypeError);
    expect(() => signer.sign({ ...call, gasLimit: -1n }, 1)).toThrow(RangeError);
    const aboveFee = call.maxFeePerGas + 1n;
    expect(() => signer.sign({ ...call, maxPriorityFeePerGas: aboveFee }, 1)).toThrow(RangeError);
  });

  it('takes a key with or without 0x', () => {
    const bare = Signer.fromSecret(new Secret(`${KEY.slice(2)}\n`), BASE);
    expect(bare.address).toBe(new Wallet(KEY).address.toLowerCase());
  });

  it('refuses every account of the published test mnemonic on a public chain, and takes it on the local one', () => {
    const parent = HDNodeWallet.fromPhrase(TEST_MNEMONIC, '', "m/44'/60'/0'/0");
    for (let index = 0; index < 10; index++) {
      const { privateKey, address } = parent.deriveChild(index);
      const refusal = refusalOf(privateKey, BASE);
      expect(refusal).toContain('published test key');
      expect(refusal).toContain(address.toLowerCase());
      expect(refusal).not.toContain(privateKey.slice(2));
      expect(refusalOf(privateKey, 31337)).toBe('accepted');
    }
  });

  it.each([`0x${'0'.repeat(63)}1`, `0x${'42'.repeat(32)}`])('refuses the guessable key %s', (key) => {
    expect(refusalOf(key, BASE)).toContain('published test key');
  });

  it.each([
    ['too short', '0x1234cafe'],
    ['not hex', `0x${'zx'.repeat(32)}`],
    ['a mnemonic', 'correct horse battery staple'],
    ['zero', `0x${'0'.repeat(64)}`],
    ['beyond the curve', `0x${'f'.repeat(64)}`],
    ['empty', ''],
  ])('says in one sentence that a key is malformed (%s) and never shows it', (_, key) => {
    const refusal = refusalOf(key, BASE);
    expect(refusal).toMatch(/^OPERATOR_PRIVATE_KEY is not a private key: [^.]+\.$/);
    if (key.length > 0) expect(refusal).not.toContain(key.replace('0x', ''));
  });
});
