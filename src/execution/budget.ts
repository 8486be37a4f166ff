import { allowanceOf, type Allowance, type SpendingLimits, type SpendingUsage } from '../domain/budget.js';
import { NO_SPEND, type Spend } from '../domain/spend.js';
import type { Clock } from '../domain/clock.js';
import { min } from '../domain/money.js';
import { utcDay } from '../domain/authorisation.js';

/**
 * After this time a cap that a node has named is forgotten, because its setting may have changed. Then one
 * transaction may be refused once more.
 */
const NAMED_CAP_KNOWN_FOR_MS = 600_000;
/** A cap that was guessed, because the node named none: its refusal may have been of the moment. */
const GUESSED_CAP_KNOWN_FOR_MS = 60_000;

interface LearnedCap {
  readonly feeWei: bigint;
  readonly untilMs: number;
  /** It was learned from a wallet that could not pay: a deposit ends it. */
  readonly fromFunds: boolean;
}

/**
 * What one wallet may spend: its limits, what it has spent on each UTC day, and the highest fee that
 * the nodes take. What is in flight is reserved by its rows and not kept here.
 */
export class Budget {
  /** Of every day: a clock that is put right must find what was spent on the day that it shows then. */
  private readonly spentByDay = new Map<string, Spend>();
  private cap: LearnedCap | undefined;

  constructor(
    readonly limits: SpendingLimits,
    private readonly clock: Clock,
  ) {}

  /** The UTC day to which a receipt is booked that is settled now. */
  get today(): string {
    return utcDay(this.clock.wallMs());
  }

  get spentToday(): Spend {
    return this.spentByDay.get(this.today) ?? NO_SPEND;
  }

  /** The highest fee of one transaction that the nodes take, as far as it was learned. Wei. */
  get nodeCapWei(): bigint | undefined {
    return this.cap && this.clock.monotonicMs() < this.cap.untilMs ? this.cap.feeWei : undefined;
  }

  /** What the database holds, by day. */
  load(spentByDay: ReadonlyMap<string, Spend>): void {
    for (const [day, spent] of spentByDay) this.spentByDay.set(day, spent);
  }

  /** A receipt was booked to this day. */
  spend(day: string, { feeWei, lossUsd8 }: Spend): void {
    const before = this.spentByDay.get(day) ?? NO_SPEND;
    this.spentByDay.set(day, { feeWei: before.feeWei + feeWei, lossUsd8: before.lossUsd8 + lossUsd8 });
  }

  /** A reorg took back what was booked to this day. */
  takeBack(day: string, { feeWei, lossUsd8 }: Spend): void {
    if (this.spentByDay.has(day)) this.spend(day, { feeWei: -feeWei, lossUsd8: -lossUsd8 });
  }

  /**
   * Every node refused a transaction because of its fee, so that the next ones must stay below.
   *
   * @param capWei what the node's words say; without it, half of the refused fee is tried.
   */
  refuseFee(feeWei: bigint, capWei?: bigint): void {
    if (capWei !== undefined && capWei > 0n && capWei < feeWei)
      this.learn(capWei, false, NAMED_CAP_KNOWN_FOR_MS);
    else this.learn(feeWei / 2n, false);
  }

  /** Every node refused a transaction because the wallet could not pay its fee. Half of it is tried next. */
  refuseForFunds(feeWei: bigint): void {
    this.learn(feeWei / 2n, true);
  }

  /** The wallet holds more than before. */
  deposited(): void {
    if (this.cap?.fromFunds) this.cap = undefined;
  }

  /** What may be reserved now, beside what is in flight. */
  allowance(inFlight: Pick<SpendingUsage, 'reserved' | 'inFlight' | 'balanceWei' | 'pace'>): Allowance {
    const { spentToday: spent, nodeCapWei } = this;
    return allowanceOf(this.limits, { ...inFlight, spent, nodeCapWei });
  }

  private learn(feeWei: bigint, fromFunds: boolean, knownForMs = GUESSED_CAP_KNOWN_FOR_MS): void {
    const known = this.nodeCapWei;
    this.cap = {
      feeWei: known === undefined ? feeWei : min(known, feeWei),
      untilMs: this.clock.monotonicMs() + knownForMs,
      fromFunds: fromFunds && (known === undefined || this.cap?.fromFunds === true),
    };
  }
}
