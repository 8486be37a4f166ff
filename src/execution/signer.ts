import { SigningKey, computeAddress } from 'ethers';
import { signRecoverable } from 'tiny-secp256k1';
import { TEST_ACCOUNTS } from '../config/test-accounts.js';
import { HaltError, StartupError } from '../domain/errors.js';
import { toAddress, type Address, type Hash, type Hex } from '../domain/hex.js';
import type { TransactionCall } from '../domain/plan.js';
import type { Secret } from '../domain/secret.js';
import { TransactionBytes } from '../rpc/chain/transaction-bytes.js';

export interface SignedTransaction {
  readonly hash: Hash;
  /** The signed EIP-1559 envelope, as eth_sendRawTransaction takes it. */
  readonly raw: Hex;
  readonly nonce: number;
}

/** Hardhat's and Anvil's chain id: the only chain on which a published key may sign. */
const LOCAL_CHAIN_ID = 31337;

const KEY = /^0x[0-9a-f]{64}$/i;

/** Signs for one account on one chain. It knows nothing of nonces, limits or the network. */
export class Signer {
  readonly #key: Uint8Array | undefined;

  private constructor(
    readonly address: Address,
    readonly chainId: number,
    key?: SigningKey,
  ) {
    this.#key = key && Buffer.from(key.privateKey.slice(2), 'hex');
  }

  /** Of an account without a known key: it signs nothing. */
  static withoutKey(address: Address, chainId: number): Signer {
    return new Signer(address, chainId);
  }

  /**
   * @throws StartupError in one sentence, which never holds the key, when the key is malformed or when it is
   *   published and the chain is not the local one.
   */
  static fromSecret(secret: Secret, chainId: number): Signer {
    const key = parseKey(secret.reveal().trim());
    const address = toAddress(computeAddress(key));
    if (chainId !== LOCAL_CHAIN_ID && isPublished(key, address))
      throw new StartupError([
        `OPERATOR_PRIVATE_KEY is a published test key (${address}) and chain ${chainId} is not a local chain: anyone can take its funds, so create a new key.`,
      ]);
    return new Signer(address, chainId, key);
  }

  /** @throws HaltError without a key. */
  sign(call: TransactionCall, nonce: number): SignedTransaction {
    if (!this.#key) throw new HaltError('there is no key to sign with');
    const bytes = new TransactionBytes(this.chainId, nonce, call);
    // libsecp256k1: the nonce of RFC 6979 and the lower s, so the very bytes that ethers makes, but faster.
    return { ...bytes.signed(signRecoverable(bytes.unsignedHash, this.#key)), nonce };
  }
}

function parseKey(text: string): SigningKey {
  // The library's own error is dropped on purpose: it may quote its input.
  try {
    const key = new SigningKey(KEY.test(text) ? text : `0x${text}`);
    computeAddress(key);
    return key;
  } catch {
    throw new StartupError([
      'OPERATOR_PRIVATE_KEY is not a private key: 64 hex digits, with or without 0x, were expected.',
    ]);
  }
}

/**
 * An account of a development tool, a key that is a small number, or one byte 32 times over: bots watch all
 * of them.
 */
function isPublished(key: SigningKey, address: Address): boolean {
  return (
    TEST_ACCOUNTS.has(address) || BigInt(key.privateKey) < 0x10000n || /^0x(..)\1{31}$/.test(key.privateKey)
  );
}
