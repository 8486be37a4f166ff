import { keccak256 } from 'ethers';
import { isHash, type Hash, type Hex } from '../domain/hex.js';
import type { TransactionCall } from '../domain/plan.js';

/** The type byte of an EIP-1559 transaction. */
const TYPE = Buffer.of(2);
/** An empty list: no access list. */
const EMPTY_LIST = Buffer.of(0xc0);

/** As `Signature` of ethers has it. */
export interface SignatureParts {
  readonly yParity: 0 | 1;
  readonly r: string;
  readonly s: string;
}

/**
 * An EIP-1559 transaction of a call, without value and access list, as bytes. It is encoded once for both
 * hashes, which `Transaction` of ethers does again for each: that takes half as long again as the signature.
 */
export class TransactionBytes {
  private readonly fields: Buffer;

  /** @throws TypeError or RangeError when the call is none that a node takes. */
  constructor(chainId: number, nonce: number, call: TransactionCall) {
    const { to, data, gasLimit, maxFeePerGas, maxPriorityFeePerGas } = call;
    if (maxPriorityFeePerGas > maxFeePerGas) throw new RangeError('the tip is above the whole fee');
    const fees = [maxPriorityFeePerGas, maxFeePerGas, gasLimit].map(rlpNumber);
    const place = [rlpNumber(BigInt(chainId)), rlpNumber(BigInt(nonce))];
    const rest = [rlpBytes(bytesOf(to)), rlpNumber(0n), rlpBytes(bytesOf(data)), EMPTY_LIST];
    this.fields = Buffer.concat([...place, ...fees, ...rest]);
  }

  /** What is signed. */
  get unsignedHash(): Hash {
    return hashOf(Buffer.concat([TYPE, listHeader(this.fields.length), this.fields]));
  }

  /** The envelope, as eth_sendRawTransaction takes it, and its hash. */
  signed({ yParity, r, s }: SignatureParts): { readonly raw: Hex; readonly hash: Hash } {
    const parts = [rlpNumber(BigInt(yParity)), rlpNumber(BigInt(r)), rlpNumber(BigInt(s))];
    const length = parts.reduce((sum, part) => sum + part.length, this.fields.length);
    const bytes = Buffer.concat([TYPE, listHeader(length), this.fields, ...parts]);
    return { raw: `0x${bytes.toString('hex')}`, hash: hashOf(bytes) };
  }
}

function hashOf(bytes: Buffer): Hash {
  const hash = keccak256(bytes);
  if (!isHash(hash)) throw new TypeError('a transaction has no hash');
  return hash;
}

function bytesOf(hex: Hex): Buffer {
  const bytes = Buffer.from(hex.slice(2), 'hex');
  // Buffer ends at the first digit that is none.
  if (bytes.length * 2 !== hex.length - 2) throw new TypeError('a call holds text that is not hex');
  return bytes;
}

/** Without leading zeros: zero is the empty text. */
function rlpNumber(value: bigint): Buffer {
  if (value < 0n) throw new RangeError('a transaction holds a negative number');
  if (value === 0n) return rlpBytes(Buffer.alloc(0));
  const digits = value.toString(16);
  return rlpBytes(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
}

function rlpBytes(bytes: Buffer): Buffer {
  const [first = 0] = bytes;
  return bytes.length === 1 && first < 0x80 ? bytes : Buffer.concat([header(0x80, bytes.length), bytes]);
}

function listHeader(length: number): Buffer {
  return header(0xc0, length);
}

/** Up to 55 bytes the length is in the first byte; above that, the first byte says how long the length is. */
function header(offset: number, length: number): Buffer {
  if (length <= 55) return Buffer.of(offset + length);
  const digits = length.toString(16);
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return Buffer.concat([Buffer.of(offset + 55 + bytes.length), bytes]);
}
