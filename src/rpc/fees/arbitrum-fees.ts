import { brotliCompressSync, constants } from 'node:zlib';
import { id } from 'ethers';
import type { EstimatedFees, FeesBesideGas } from '../../domain/costs.js';
import { uintAt, type Address, type Hex } from '../../domain/hex.js';
import { max, mulDivCeil } from '../../domain/money.js';
import type { MulticallCall } from '../chain/multicall3.js';
import type { Read } from '../chain/read.js';
import { ChainFees, type FeeEstimate } from './chain-fees.js';
import { feeWithin } from '../quantities.js';

/** Nitro's precompile. NodeInterface would tell more, but no contract can call it, and so no multicall. */
export const ARB_GAS_INFO: Address = '0x000000000000000000000000000000000000006c';
const PRICES_IN_WEI = id('getPricesInWei()').slice(0, 10) as Hex;
const WORDS_OF_PRICES = 6;

/** What a signature adds to a transaction: r, s and v. It cannot be compressed. Bytes. */
const SIGNATURE_BYTES = 67;
/** As nitro pads an estimate (l1pricing.go estimationPaddingUnits, estimationPaddingBasisPoints). */
const PADDING_BYTES = 16;
const PADDING_BPS = 10_100n;
/** As nitro pads the gas of an estimate, in case that data on L1 becomes dearer. */
const L1_PRICE_PADDING_BPS = 11_000n;
const BPS = 10_000n;

/** ArbGasInfo.getPricesInWei, as far as it is needed. Wei. */
export interface ArbitrumPrices {
  /** For each byte of a compressed transaction. */
  readonly perByteWei: bigint;
  /** The least that gas ever costs. */
  readonly leastBaseFeeWei: bigint;
  readonly baseFeeWei: bigint;
}

/**
 * Arbitrum (nitro TxProcessor.GasChargingHook): L1 data is paid in gas. A transaction uses so much gas more
 * as its data costs on L1, divided by the base fee. A simulation does not count it, because its base fee is
 * 0. A receipt does (`gasUsedForL1` is a part of `gasUsed`), and so nothing is paid beside it.
 */
export class ArbitrumFees extends ChainFees {
  override estimates(unsigned: readonly Hex[]): Read<readonly FeeEstimate[]> {
    const sizes = unsigned.map(sizeOnL1);
    return {
      calls: [pricesCall()],
      decode: ([result]) => {
        if (!result?.success || result.data.length < 2 + 64 * WORDS_OF_PRICES)
          throw new TypeError('ArbGasInfo gave no prices');
        const prices = pricesIn(result.data);
        return sizes.map((size) => {
          const fees = posterFees(size, prices);
          return () => fees;
        });
      },
    };
  }

  override paid(): Read<FeesBesideGas> {
    return { calls: [], decode: () => ({ l1Fee: 0n, operatorFee: 0n }) };
  }
}

export function pricesCall(): MulticallCall {
  return { to: ARB_GAS_INFO, data: PRICES_IN_WEI };
}

/** ArbGasInfo.getPricesInWei: per transaction, byte, storage slot; base, congestion and total of gas. */
function pricesIn(data: Hex): ArbitrumPrices {
  return {
    perByteWei: feeWithin(uintAt(data, 1)),
    leastBaseFeeWei: feeWithin(uintAt(data, 3)),
    baseFeeWei: feeWithin(uintAt(data, 5)),
  };
}

/**
 * The bytes that nitro counts: those of the signed transaction after Brotli, by itself. The chain compresses
 * a little better than the fastest way, which is taken here.
 */
export function sizeOnL1(unsigned: Hex): number {
  const compressed = brotliCompressSync(Buffer.from(unsigned.slice(2), 'hex'), {
    params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MIN_QUALITY },
  });
  return compressed.length + SIGNATURE_BYTES;
}

/**
 * What nitro estimates (L1PricingState.PosterDataCost, GetPosterGas): the fee, and the gas in which it is
 * paid. The gas is for a base fee that falls by an eighth. Both rounded up.
 */
export function posterFees(sizeBytes: number, prices: ArbitrumPrices): EstimatedFees {
  const { perByteWei, leastBaseFeeWei, baseFeeWei } = prices;
  const l1Fee = mulDivCeil(BigInt(sizeBytes + PADDING_BYTES) * perByteWei, PADDING_BPS, BPS);
  const lowBaseFeeWei = max(max((baseFeeWei * 7n) / 8n, leastBaseFeeWei), 1n);
  return { l1Fee, operatorFee: 0n, l1Gas: mulDivCeil(l1Fee, L1_PRICE_PADDING_BPS, BPS * lowBaseFeeWei) };
}
