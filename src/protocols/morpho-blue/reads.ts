import { id } from 'ethers';
import {
  addressAt,
  addressWord,
  amountAt,
  timeAt,
  uintAt,
  uintWord,
  type Address,
  type Hash,
  type Hex,
} from '../../domain/hex.js';
import type { UnservedReason } from '../../domain/market-coverage.js';
import { WAD } from '../../domain/money.js';
import { successOf, together, type Read } from '../../rpc/chain/read.js';
import type { BlueContracts } from './events.js';
import {
  hasRateModel,
  type BlueMarket,
  type BluePosition,
  type MarketParams,
  type MarketTotals,
  type RateModel,
} from './market.js';

/** Calls to Morpho, rate models, oracles and tokens, encoded and decoded by hand. */

const selector = (signature: string): Hex => id(signature).slice(0, 10) as Hex;

const STRUCTS = '(address,address,address,address,uint256),(uint128,uint128,uint128,uint128,uint128,uint128)';

export const SELECTORS = {
  owner: selector('owner()'),
  isAuthorized: selector('isAuthorized(address,address)'),
  market: selector('market(bytes32)'),
  position: selector('position(bytes32,address)'),
  idToMarketParams: selector('idToMarketParams(bytes32)'),
  rateAtTarget: selector('rateAtTarget(bytes32)'),
  borrowRateView: selector(`borrowRateView(${STRUCTS})`),
  morphoOfIrm: selector('MORPHO()'),
  price: selector('price()'),
} as const;

const withHash = (selectorHex: Hex, hash: Hash): Hex => `${selectorHex}${hash.slice(2)}`;

/** What Morpho has booked of a market (Morpho.market). */
export function totalsRead({ morpho }: Pick<BlueContracts, 'morpho'>, marketId: Hash): Read<MarketTotals> {
  return {
    calls: [{ to: morpho, data: withHash(SELECTORS.market, marketId) }],
    decode: ([result]) => {
      const data = successOf(result, `market ${marketId}`);
      return {
        supplyAssets: amountAt(data, 0),
        supplyShares: amountAt(data, 1),
        borrowAssets: amountAt(data, 2),
        borrowShares: amountAt(data, 3),
        lastUpdate: timeAt(data, 4),
        feeWad: amountAt(data, 5),
      };
    },
  };
}

function paramsRead({ morpho }: BlueContracts, marketId: Hash): Read<MarketParams> {
  return {
    calls: [{ to: morpho, data: withHash(SELECTORS.idToMarketParams, marketId) }],
    decode: ([result]) => {
      const data = successOf(result, `the parameters of market ${marketId}`);
      const [loanToken, collateralToken] = [addressAt(data, 0), addressAt(data, 1)];
      const [oracle, irm] = [addressAt(data, 2), addressAt(data, 3)];
      return { loanToken, collateralToken, oracle, irm, lltvWad: amountAt(data, 4) };
    },
  };
}

/** AdaptiveCurveIrm.rateAtTarget: wad a second; 0 for a market that does not use it. */
export function rateAtTargetRead({ adaptiveCurveIrm }: BlueContracts, marketId: Hash): Read<bigint> {
  return {
    calls: [{ to: adaptiveCurveIrm, data: withHash(SELECTORS.rateAtTarget, marketId) }],
    decode: ([result]) => amountAt(successOf(result, `the rate of market ${marketId}`), 0),
  };
}

/** A market as it is booked; undefined for an id that Morpho does not know. */
export function marketRead(contracts: BlueContracts, marketId: Hash): Read<BlueMarket | undefined> {
  const all = together(
    paramsRead(contracts, marketId),
    totalsRead(contracts, marketId),
    rateAtTargetRead(contracts, marketId),
  );
  return {
    calls: all.calls,
    decode: (results) => {
      const [params, totals, rateAtTargetWad] = all.decode(results);
      if (totals.lastUpdate === 0) return undefined;
      return { id: marketId, params, totals, rate: rateOf(contracts, params, rateAtTargetWad) };
    },
  };
}

function rateOf(
  { adaptiveCurveIrm }: BlueContracts,
  params: MarketParams,
  rateAtTargetWad: bigint,
): RateModel {
  if (!hasRateModel(params)) return { kind: 'none' };
  return params.irm === adaptiveCurveIrm ? { kind: 'adaptive-curve', rateAtTargetWad } : { kind: 'asked' };
}

export function positionRead(
  { morpho }: Pick<BlueContracts, 'morpho'>,
  marketId: Hash,
  account: Address,
): Read<BluePosition> {
  const data: Hex = `${withHash(SELECTORS.position, marketId)}${addressWord(account)}`;
  return {
    calls: [{ to: morpho, data }],
    decode: ([result]) => {
      const answer = successOf(result, `position of ${account}`);
      return { borrowShares: amountAt(answer, 1), collateral: amountAt(answer, 2) };
    },
  };
}

/** The highest price that is believed: more would not fit into the products of the contract. */
const MOST_PRICE = 1n << 200n;

/** Why an oracle has no price. */
export type PriceFault = Extract<UnservedReason, `oracle-${string}`>;

/** IOracle.price(), or why there is none. */
export function askedPriceRead(oracle: Address): Read<bigint | PriceFault> {
  return {
    calls: [{ to: oracle, data: SELECTORS.price }],
    decode: ([result]) => {
      if (result?.outOfGas) return 'oracle-out-of-gas';
      if (!result?.success) return result?.data === '0x' ? 'oracle-silent' : 'oracle-reverts';
      if (result.data.length < 66) return 'oracle-nonsense';
      const price = uintAt(result.data, 0);
      if (price === 0n) return 'oracle-zero';
      return price < MOST_PRICE ? price : 'oracle-nonsense';
    },
  };
}

/** IOracle.price(); undefined when the oracle reverts, or answers 0 or nonsense. */
export function priceRead(oracle: Address): Read<bigint | undefined> {
  const { calls, decode } = askedPriceRead(oracle);
  return {
    calls,
    decode: (results) => {
      const price = decode(results);
      return typeof price === 'bigint' ? price : undefined;
    },
  };
}

/**
 * What a rate model says at the block of the call (IIrm.borrowRateView), wad a second; undefined when it
 * reverts, or answers nonsense.
 */
export function askedRateRead({ params, totals }: BlueMarket): Read<bigint | undefined> {
  const { loanToken, collateralToken, oracle, irm, lltvWad } = params;
  const words = [
    ...[loanToken, collateralToken, oracle, irm].map(addressWord),
    ...[lltvWad, totals.supplyAssets, totals.supplyShares, totals.borrowAssets, totals.borrowShares].map(
      uintWord,
    ),
    uintWord(totals.lastUpdate),
    uintWord(totals.feeWad),
  ];
  return {
    calls: [{ to: irm, data: `${SELECTORS.borrowRateView}${words.join('')}` }],
    decode: ([result]) => {
      if (!result?.success || result.data.length < 66) return undefined;
      const rateWad = uintAt(result.data, 0);
      return rateWad < WAD ? rateWad : undefined;
    },
  };
}
