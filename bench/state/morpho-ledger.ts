/** What users do in every market of a Morpho Blue, block by block, and the logs that they leave. */
import { Interface } from 'ethers';
import { SeededRandom } from '../../devnet/random.js';
import type { Address, Hash } from '../../src/domain/hex.js';
import { max } from '../../src/domain/money.js';
import type { RawLog } from '../../src/rpc/chain/chain-answers.js';
import type { FollowedMarket } from '../../src/protocols/morpho-blue/followed-market.js';
import { accrued, type BlueAccount, type BluePosition } from '../../src/protocols/morpho-blue/market.js';
import { toAssetsUp, toSharesDown, toSharesUp } from '../../src/protocols/morpho-blue/math.js';
import { answerUpdated, logMaker } from './logs.js';
import type { BlueWorld } from './morpho-world.js';

/** What the baseline decodes with. */
export const BLUE_EVENTS = new Interface([
  'event Supply(bytes32 indexed id, address indexed caller, address indexed onBehalf, uint256 assets, uint256 shares)',
  'event Borrow(bytes32 indexed id, address caller, address indexed onBehalf, address indexed receiver, uint256 assets, uint256 shares)',
  'event Repay(bytes32 indexed id, address indexed caller, address indexed onBehalf, uint256 assets, uint256 shares)',
  'event SupplyCollateral(bytes32 indexed id, address indexed caller, address indexed onBehalf, uint256 assets)',
  'event AccrueInterest(bytes32 indexed id, uint256 prevBorrowRate, uint256 interest, uint256 feeShares)',
  'event BorrowRateUpdate(bytes32 indexed id, uint256 avgBorrowRate, uint256 rateAtTarget)',
  'event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt)',
]);
const log = logMaker(BLUE_EVENTS);

export interface BlueBlock {
  readonly timestamp: number;
  readonly logs: readonly RawLog[];
  /** By token. */
  readonly usd8: ReadonlyMap<Address, bigint>;
}

const BLOCK_SECONDS = 2;

export class BlueLedger {
  readonly markets: Map<Hash, FollowedMarket>;
  /** By market, and by borrower in it. */
  readonly positions = new Map<Hash, Map<Address, BluePosition>>();
  private readonly borrowers = new Map<Hash, Address[]>();
  private readonly random = new SeededRandom(61);
  private timestamp: number;

  constructor(
    private readonly world: BlueWorld,
    accounts: Iterable<BlueAccount>,
  ) {
    this.markets = new Map(world.markets.map((market) => [market.id, market]));
    this.timestamp = world.timestamp;
    for (const { id } of world.markets) this.positions.set(id, new Map());
    for (const { address, legs } of accounts)
      for (const { marketId, ...position } of legs) this.positions.get(marketId)?.set(address, position);
    for (const [id, positions] of this.positions) this.borrowers.set(id, [...positions.keys()]);
  }

  /** Somebody does something in each market, and every price moves. */
  block(): BlueBlock {
    this.timestamp += BLOCK_SECONDS;
    const { tokens, usd8: start } = this.world;
    const usd8 = new Map<Address, bigint>();
    const logs: RawLog[] = [];
    for (const { address, aggregator } of tokens) {
      const price =
        ((start.get(address) ?? 0n) * BigInt(this.random.integer(998_000, 1_002_000))) / 1_000_000n;
      usd8.set(address, price);
      logs.push(answerUpdated(aggregator, price, this.timestamp));
    }
    for (const market of this.markets.values()) {
      const interest = this.accrue(market);
      logs.push(...interest.logs, this.act(interest.market));
    }
    return { timestamp: this.timestamp, logs, usd8 };
  }

  private accrue(before: FollowedMarket): { market: FollowedMarket; logs: RawLog[] } {
    const { morpho, adaptiveCurveIrm } = this.world.settings;
    const { totals, rate } = accrued(before, this.timestamp);
    const interest = totals.borrowAssets - before.totals.borrowAssets;
    const feeShares = totals.supplyShares - before.totals.supplyShares;
    const rateAtTargetWad = rate.kind === 'adaptive-curve' ? rate.rateAtTargetWad : 0n;
    const logs = [
      log(adaptiveCurveIrm, 'BorrowRateUpdate', 1, before.id, rateAtTargetWad, rateAtTargetWad),
      log(morpho, 'AccrueInterest', 1, before.id, rateAtTargetWad, interest, feeShares),
    ];
    return { market: { ...before, totals, rate }, logs };
  }

  /** A small part of what is there, so that the market stays as it is on the whole. */
  private act(market: FollowedMarket): RawLog {
    const { id, totals } = market;
    const { morpho } = this.world.settings;
    const { supplyAssets, supplyShares, borrowAssets, borrowShares } = totals;
    const borrowers = this.borrowers.get(id) ?? [];
    const borrower = borrowers[this.random.integer(0, Math.max(0, borrowers.length - 1))];
    const position = borrower && this.positions.get(id)?.get(borrower);
    const place = this.random.next();
    const part = (amount: bigint): bigint => (amount * BigInt(this.random.integer(1, 1_000))) / 1_000_000n;
    const become = (changed: Partial<FollowedMarket['totals']>, after?: BluePosition): void => {
      this.markets.set(id, { ...market, totals: { ...totals, ...changed } });
      if (borrower && after) this.positions.get(id)?.set(borrower, after);
    };
    if (!borrower || !position || place < 0.25) {
      const assets = part(supplyAssets);
      const shares = toSharesDown(assets, supplyAssets, supplyShares);
      become({ supplyAssets: supplyAssets + assets, supplyShares: supplyShares + shares });
      return log(morpho, 'Supply', 3, id, morpho, morpho, assets, shares);
    }
    if (place < 0.5) {
      const assets = part(toAssetsUp(position.borrowShares, borrowAssets, borrowShares));
      const shares = toSharesUp(assets, borrowAssets, borrowShares);
      const after = { ...position, borrowShares: position.borrowShares + shares };
      become({ borrowAssets: borrowAssets + assets, borrowShares: borrowShares + shares }, after);
      return log(morpho, 'Borrow', 3, id, borrower, borrower, borrower, assets, shares);
    }
    if (place < 0.75) {
      const shares = part(position.borrowShares);
      const assets = toAssetsUp(shares, borrowAssets, borrowShares);
      const after = { ...position, borrowShares: position.borrowShares - shares };
      become({ borrowAssets: max(borrowAssets - assets, 0n), borrowShares: borrowShares - shares }, after);
      return log(morpho, 'Repay', 3, id, borrower, borrower, assets, shares);
    }
    const assets = part(position.collateral);
    become({}, { ...position, collateral: position.collateral + assets });
    return log(morpho, 'SupplyCollateral', 3, id, borrower, borrower, assets);
  }
}
