import { HDNodeWallet, Transaction, Wallet } from 'ethers';
import { describe, expect, it } from 'vitest';
import type { TransactionCall } from '../domain/plan.js';
import { Secret } from '../domain/secret.js';
import { Signer } from './signer.js';

const BASE = 8453;
const KEY = '0x8f2a55949038a9610f50fb23b5883af3b4ecb3c3bb792cbcefbd1542c692be63';
const TEST_MNEMONIC = 'test test test test test test test test test test test junk';

const call: TransactionCall = {
  to: '0x00000000000000000000000000000000000000c1',
  data: '0x12345678',
  gasLimit: 700_000n,
  maxFeePerGas: 9_000_000n,
  maxPriorityFeePerGas: 2_000_000n,
};

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
