import type { Hex } from '../../domain/hex.js';
import { max } from '../../domain/money.js';
import { compressedLength } from './fast-lz.js';

/** What the formula takes from the block: GasPriceOracle hands on what L1Block holds. */
export interface L1FeeParameters {
  /** Wei per gas of the L1. */
  readonly baseFeeWei: bigint;
  /** Of the base fee, in millionths. */
  readonly baseFeeScalar: bigint;
  /** Wei per gas of blobs. */
  readonly blobBaseFeeWei: bigint;
  readonly blobBaseFeeScalar: bigint;
}

/** A signature, and what else is added to the unsigned transaction: bytes. */
const SIGNATURE = 68;
/** Of the regression from the size after FastLZ to the size in a batch, in millionths of a byte. */
const INTERCEPT = -42_585_600n;
const COEFFICIENT = 836_500n;
const LEAST_SIZE = 100_000_000n;

/**
 * The size for which a transaction pays, in millionths of a byte. Source: GasPriceOracle 1.3
 * (Fjord) `_fjordLinearRegression`.
 *
 * @param unsigned the transaction without its signature.
 */
export function fjordSize(unsigned: Hex): bigint {
  const fastLz = BigInt(compressedLength(Buffer.from(unsigned.slice(2), 'hex')) + SIGNATURE);
  return max(LEAST_SIZE, INTERCEPT + COEFFICIENT * fastLz);
}

/** Wei, rounded down as the contract does. Source: GasPriceOracle 1.3 (Fjord) `_fjordL1Cost`. */
export function fjordL1Fee(
  size: bigint,
  { baseFeeWei, baseFeeScalar, blobBaseFeeWei, blobBaseFeeScalar }: L1FeeParameters,
): bigint {
  const perByte = baseFeeScalar * 16n * baseFeeWei + blobBaseFeeScalar * blobBaseFeeWei;
  return (size * perByte) / 10n ** 12n;
}
