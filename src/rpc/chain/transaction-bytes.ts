import { createKeccak } from 'hash-wasm';
import type { Hash, Hex } from '../../domain/hex.js';
import type { TransactionCall } from '../../domain/plan.js';

/** The type byte of an EIP-1559 transaction. */
const TYPE = Buffer.of(2);
/** An empty list: no access list. */
const EMPTY_LIST = Buffer.of(0xc0);

/** One for all: a hash is computed at once, from its first byte to its last. */
const keccak = await createKeccak(256);

/** A signature as libsecp256k1 gives it. */
export interface RecoverableSignature {
  /** r and s, 32 bytes each. */
  readonly signature: Uint8Array;
  /** The parity of the point's y. */
  readonly recoveryId: number;
}

/**
 * An EIP-1559 transaction of a call, without value and access list, as bytes. It is encoded once for both
 * hashes. `Transaction` of ethers encodes it again for each, and hashes far slower.
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
  get unsignedHash(): Uint8Array {
    return hashOf(this.unsigned);
  }

  /** Without a signature. */
  get unsigned(): Buffer {
    return Buffer.concat([TYPE, listHeader(this.fields.length), this.fields]);
  }

  /** The envelope, as eth_sendRawTransaction takes it, and its hash. */
  signed({ signature, recoveryId }: RecoverableSignature): { readonly raw: Hex; readonly hash: Hash } {
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)].map(rlpNumberOfBytes);
    if (!r || !s) throw new TypeError('a signature has two parts');
    const parts = [rlpNumber(BigInt(recoveryId)), r, s];
    const length = parts.reduce((sum, part) => sum + part.length, this.fields.length);
    const bytes = Buffer.concat([TYPE, listHeader(length), this.fields, ...parts]);
    return { raw: `0x${bytes.toString('hex')}`, hash: `0x${hashOf(bytes).toString('hex')}` };
  }
}

/** The fields of an EIP-1559 transaction without its signature. */
const FIELDS = 9;

/**
 * The same transaction without its signature. Nothing of it is checked: it is one of ours.
 *
 * @throws TypeError or RangeError when it is no EIP-1559 transaction.
 */
export function withoutSignature(raw: Hex): Hex {
  const bytes = bytesOf(raw);
  if (bytes[0] !== TYPE[0]) throw new TypeError('an EIP-1559 transaction was expected');
  const from = itemAt(bytes, 1).from;
  let to = from;
  for (let field = 0; field < FIELDS; field += 1) to = itemAt(bytes, to).to;
  const fields = bytes.subarray(from, to);
  return `0x${Buffer.concat([TYPE, listHeader(fields.length), fields]).toString('hex')}`;
}

/** Where the content of the RLP item at a place begins and ends. */
function itemAt(bytes: Buffer, at: number): { readonly from: number; readonly to: number } {
  const first = bytes.readUInt8(at);
  if (first < 0x80) return { from: at, to: at + 1 };
  const offset = first < 0xc0 ? 0x80 : 0xc0;
  const short = first - offset;
  if (short <= 55) return { from: at + 1, to: at + 1 + short };
  const from = at + 1 + short - 55;
  return { from, to: from + bytes.readUIntBE(at + 1, short - 55) };
}

function hashOf(bytes: Buffer): Buffer {
  return Buffer.from(keccak.init().update(bytes).digest('binary'));
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

function rlpNumberOfBytes(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return rlpBytes(Buffer.from(first < 0 ? [] : bytes.subarray(first)));
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
