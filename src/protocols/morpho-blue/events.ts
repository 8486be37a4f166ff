import { id } from 'ethers';
import {
  addressFromWord,
  MOST_128_BITS,
  uintAt,
  uintWithin,
  type Address,
  type Hash,
  type Hex,
} from '../../domain/hex.js';
import { UINT256_MAX, WAD } from '../../domain/money.js';
import type { RawLog } from '../../rpc/chain/chain-answers.js';
import type { WatchedLogs } from '../../rpc/chain/logs-bloom.js';
import { PRE_TOPIC } from './pre-liquidation-events.js';

const topic = (signature: string): Hash => id(signature) as Hash;

/**
 * The topics of Morpho's logs (libraries/EventsLib.sol) and of AdaptiveCurveIrm's. Their data is decoded by
 * hand, because this runs on the hot path. The market is the first indexed argument of all of them.
 */
export const TOPIC = {
  setFee: topic('SetFee(bytes32,uint256)'),
  supply: topic('Supply(bytes32,address,address,uint256,uint256)'),
  withdraw: topic('Withdraw(bytes32,address,address,address,uint256,uint256)'),
  borrow: topic('Borrow(bytes32,address,address,address,uint256,uint256)'),
  repay: topic('Repay(bytes32,address,address,uint256,uint256)'),
  supplyCollateral: topic('SupplyCollateral(bytes32,address,address,uint256)'),
  withdrawCollateral: topic('WithdrawCollateral(bytes32,address,address,address,uint256)'),
  liquidate: topic('Liquidate(bytes32,address,address,uint256,uint256,uint256,uint256,uint256)'),
  accrueInterest: topic('AccrueInterest(bytes32,uint256,uint256,uint256)'),
  borrowRateUpdate: topic('BorrowRateUpdate(bytes32,uint256,uint256)'),
} as const;

/** One change of a market, and of a position where it names a borrower. Amounts as the log has them. */
export type BlueChange = { readonly marketId: Hash } & (
  | { readonly kind: 'fee'; readonly feeWad: bigint }
  | { readonly kind: 'interest'; readonly interest: bigint; readonly feeShares: bigint }
  | { readonly kind: 'rate'; readonly rateAtTargetWad: bigint }
  | { readonly kind: 'supply' | 'withdraw'; readonly assets: bigint; readonly shares: bigint }
  | {
      readonly kind: 'borrow' | 'repay';
      readonly borrower: Address;
      readonly assets: bigint;
      readonly shares: bigint;
    }
  | {
      readonly kind: 'supply-collateral' | 'withdraw-collateral';
      readonly borrower: Address;
      readonly assets: bigint;
    }
  | {
      readonly kind: 'liquidate';
      readonly borrower: Address;
      readonly repaidAssets: bigint;
      readonly repaidShares: bigint;
      readonly seizedAssets: bigint;
      readonly badDebtAssets: bigint;
      readonly badDebtShares: bigint;
    }
);

/** Where the logs come from. */
export interface BlueContracts {
  readonly morpho: Address;
  readonly adaptiveCurveIrm: Address;
  /** Undefined: pre-liquidations are not looked for. */
  readonly preLiquidationFactory?: Address | undefined;
}

/** The contracts whose logs count, each with the topics that are read. */
export function watchedLogs({
  morpho,
  adaptiveCurveIrm,
  preLiquidationFactory: factory,
}: BlueContracts): WatchedLogs {
  const { borrowRateUpdate, ...ofMorpho } = TOPIC;
  return new Map<Address, readonly Hash[]>([
    [morpho, [...Object.values(ofMorpho), ...(factory ? [PRE_TOPIC.setAuthorization] : [])]],
    [adaptiveCurveIrm, [borrowRateUpdate]],
    ...(factory ? [[factory, [PRE_TOPIC.created]] as const] : []),
  ]);
}

/** How many topics a log has after the first, and how many words. */
const SHAPES: ReadonlyMap<Hex, { readonly topics: number; readonly words: number; readonly most?: bigint }> =
  new Map([
    [TOPIC.setFee, { topics: 1, words: 1, most: WAD }],
    [TOPIC.supply, { topics: 3, words: 2 }],
    // The caller of these is not indexed: it is the first word.
    [TOPIC.withdraw, { topics: 3, words: 3 }],
    [TOPIC.borrow, { topics: 3, words: 3 }],
    [TOPIC.repay, { topics: 3, words: 2 }],
    [TOPIC.supplyCollateral, { topics: 3, words: 1 }],
    [TOPIC.withdrawCollateral, { topics: 3, words: 2 }],
    [TOPIC.liquidate, { topics: 3, words: 5 }],
    [TOPIC.accrueInterest, { topics: 1, words: 3 }],
    [TOPIC.borrowRateUpdate, { topics: 1, words: 2 }],
    [PRE_TOPIC.setAuthorization, { topics: 3, words: 1, most: 1n }],
    [PRE_TOPIC.created, { topics: 1, words: 7, most: UINT256_MAX }],
  ]);

/**
 * Looks at a log of Morpho or of the rate model before it is used.
 *
 * @throws RangeError when a topic or a word of its data is missing, or a number is out of its range.
 */
export function checkLog({ topics, data }: Pick<RawLog, 'topics' | 'data'>): void {
  const shape = SHAPES.get(topics[0] ?? '0x');
  if (!shape) return;
  if (topics.length <= shape.topics) throw new RangeError('a log lacks a topic');
  const most = shape.most ?? MOST_128_BITS;
  for (let word = shape.words - 1; word >= 0; word--) {
    const isCaller = word === 0 && shape.words > 1 && shape.topics === 3 && startsWithCaller(topics[0]);
    uintWithin(data, word, isCaller ? 2n ** 160n - 1n : most, 'a number of a log');
  }
}

function startsWithCaller(first: Hex | undefined): boolean {
  return first === TOPIC.withdraw || first === TOPIC.borrow || first === TOPIC.withdrawCollateral;
}

/** Reads the logs of any number of blocks, in the order of the chain. Logs of other contracts are ignored. */
export function changesOf(
  { morpho, adaptiveCurveIrm }: BlueContracts,
  logs: readonly RawLog[],
): BlueChange[] {
  const changes: BlueChange[] = [];
  for (const { address, topics, data } of logs) {
    if (address !== morpho && address !== adaptiveCurveIrm) continue;
    const [first, marketId, second = '', third = ''] = topics;
    const isRate = first === TOPIC.borrowRateUpdate;
    if (marketId === undefined || isRate !== (address === adaptiveCurveIrm)) continue;
    const change = changeOf(first, marketId, [second, third], data);
    if (change) changes.push(change);
  }
  return changes;
}

/** Without closures and spreads: a block has many logs. */
function changeOf(
  first: Hex | undefined,
  marketId: Hash,
  [second, third]: readonly [string, string],
  data: Hex,
): BlueChange | undefined {
  switch (first) {
    case TOPIC.setFee:
      return { kind: 'fee', marketId, feeWad: uintAt(data, 0) };
    case TOPIC.accrueInterest:
      return { kind: 'interest', marketId, interest: uintAt(data, 1), feeShares: uintAt(data, 2) };
    case TOPIC.borrowRateUpdate:
      return { kind: 'rate', marketId, rateAtTargetWad: uintAt(data, 1) };
    case TOPIC.supply:
      return { kind: 'supply', marketId, assets: uintAt(data, 0), shares: uintAt(data, 1) };
    case TOPIC.withdraw:
      return { kind: 'withdraw', marketId, assets: uintAt(data, 1), shares: uintAt(data, 2) };
    case TOPIC.borrow:
      return {
        kind: 'borrow',
        marketId,
        borrower: addressFromWord(second),
        assets: uintAt(data, 1),
        shares: uintAt(data, 2),
      };
    case TOPIC.repay:
      return {
        kind: 'repay',
        marketId,
        borrower: addressFromWord(third),
        assets: uintAt(data, 0),
        shares: uintAt(data, 1),
      };
    case TOPIC.supplyCollateral:
      return {
        kind: 'supply-collateral',
        marketId,
        borrower: addressFromWord(third),
        assets: uintAt(data, 0),
      };
    case TOPIC.withdrawCollateral:
      return {
        kind: 'withdraw-collateral',
        marketId,
        borrower: addressFromWord(second),
        assets: uintAt(data, 1),
      };
    case TOPIC.liquidate: {
      const [repaidAssets, repaidShares, seizedAssets] = [uintAt(data, 0), uintAt(data, 1), uintAt(data, 2)];
      const [badDebtAssets, badDebtShares] = [uintAt(data, 3), uintAt(data, 4)];
      const amounts = { repaidAssets, repaidShares, seizedAssets, badDebtAssets, badDebtShares };
      return { kind: 'liquidate', marketId, borrower: addressFromWord(third), ...amounts };
    }
    default:
      return undefined;
  }
}

/** The markets in which somebody borrowed. */
export function borrowedIn(changes: readonly BlueChange[]): Set<Hash> {
  const ids = new Set<Hash>();
  for (const { kind, marketId } of changes) if (kind === 'borrow') ids.add(marketId);
  return ids;
}
