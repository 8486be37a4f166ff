import type { DryRunRow, ExecutionsRepository } from '../database/index.js';
import type { AtRisk, Debt } from '../domain/at-risk.js';
import { utcDay } from '../domain/authorisation.js';
import { after, type Allowance } from '../domain/budget.js';
import { totalCostsUsd8, weiWithin } from '../domain/costs.js';
import type { LiquidationPlan } from '../domain/plan.js';
import { positionKey, type PositionId } from '../domain/position-id.js';
import type { SafetyController } from '../safety/index.js';
import type { Wallet } from './wallet.js';

const DAY_MS = 86_400_000;

/**
 * A debt that is smaller by less than this share is the same debt: interest up to the second at which a
 * position opens is counted beforehand, and the block may come earlier. A 1,000th.
 */
const SAME_SHARE = 1_000n;

/** What the last look saw of a position. Undefined: not looked at since the start, or without a price. */
type Seen = readonly Debt[] | undefined;

/**
 * What a dry run counts against the limits of a day, where a live bot would have sent a transaction and a
 * receipt would have proved its liquidation.
 *
 * The rule: a position is counted once, with its first plan, and not again as long as it stays below a health
 * factor of 1. It may be counted again after a look at a block that found it at 1 or above, or that found
 * less debt of a token than the look before, because then another account has liquidated or repaid a part of
 * it. Counted are the value of the covered debt towards the volume of the day, and the expected fees towards
 * the fees of the day; a liquidation that is expected to win loses nothing. From its plan to the next pass it
 * also has a place in flight and its whole reservation, as a transaction has until its receipt.
 *
 * The rows of the decisions hold what was counted, apart from the books of a live bot. After a restart a dry
 * run goes on with what it counted on this day and the day before. What happened to a position meanwhile is
 * not known: one that is below 1 at the first look counts as the same.
 */
export class DryBook {
  private readonly counted = new Map<string, Seen>();
  /** Of the present pass. */
  private inFlight: readonly LiquidationPlan[] = [];
  /** Of the last look. */
  private atRisk: ReadonlyMap<string, AtRisk> = new Map();

  constructor(
    private readonly executions: ExecutionsRepository,
    private readonly volume: SafetyController['volume'],
    private readonly wallet: Wallet,
  ) {}

  /** Takes up what an earlier process counted; the volume is read by its own class. @throws RetryError */
  async load(): Promise<void> {
    const { chainId, address: wallet, budget } = this.wallet;
    const rows = await this.executions.dryRunsSince(
      { chainId, wallet },
      utcDay(Date.parse(this.volume.today) - DAY_MS),
    );
    const feeWeiByDay = new Map<string, bigint>();
    for (const row of rows) {
      this.counted.set(positionKey(row), undefined);
      feeWeiByDay.set(row.day, (feeWeiByDay.get(row.day) ?? 0n) + feeOf(row));
    }
    budget.load(new Map([...feeWeiByDay].map(([day, feeWei]) => [day, { feeWei, lossUsd8: 0n }])));
  }

  /** How many transactions would be in flight. */
  get size(): number {
    return this.inFlight.length;
  }

  /** The keys of the positions that are not counted again. */
  get positions(): ReadonlySet<string> {
    return new Set(this.counted.keys());
  }

  has(position: PositionId): boolean {
    return this.counted.has(positionKey(position));
  }

  /** What is left of an allowance for one more plan of this pass. */
  left(allowance: Allowance): Allowance {
    return this.inFlight.reduce((left, { reservation }) => after(left, reservation), allowance);
  }

  /** A pass begins, with these positions below 1 or about to be: what was in flight is mined. */
  look(positions: readonly AtRisk[]): void {
    for (const { costs, nativePriceUsd8 } of this.inFlight) {
      const feeWei = feeOf({ costsUsd8: totalCostsUsd8(costs), nativePriceUsd8 });
      this.wallet.budget.spend(this.volume.today, { feeWei, lossUsd8: 0n });
    }
    this.inFlight = [];
    this.atRisk = new Map(positions.map((one) => [positionKey(one), one]));
    for (const [key, before] of this.counted) {
      const position = this.atRisk.get(key);
      const now = position && seenOf(position);
      if (!position || (before && now && isLess(now, before))) this.counted.delete(key);
      else if (now) this.counted.set(key, now);
    }
  }

  /**
   * A plan would have been sent.
   *
   * @returns the day to which it was booked; undefined: it was counted before.
   */
  count(plan: LiquidationPlan): string | undefined {
    const key = positionKey(plan);
    if (this.counted.has(key)) return undefined;
    const position = this.atRisk.get(key);
    this.counted.set(key, position && seenOf(position));
    this.inFlight = [...this.inFlight, plan];
    const day = this.volume.today;
    this.volume.booked(day, plan.notionalUsd8);
    return day;
  }
}

function seenOf({ healthFactorWad, debts }: AtRisk): Seen {
  return healthFactorWad === undefined ? undefined : debts;
}

function isLess(now: readonly Debt[], before: readonly Debt[]): boolean {
  return before.some(({ asset, amount }) => {
    const left = now.find((debt) => debt.asset === asset)?.amount ?? 0n;
    return left < amount - amount / SAME_SHARE;
  });
}

/** What its receipt would have said of its fees. */
function feeOf({ costsUsd8, nativePriceUsd8 }: Pick<DryRunRow, 'costsUsd8' | 'nativePriceUsd8'>): bigint {
  return nativePriceUsd8 === 0n ? 0n : weiWithin(costsUsd8, nativePriceUsd8);
}
