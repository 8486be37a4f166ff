import type { Fence, LeaseHolder, LeaseKey, LeasesRepository } from '../database/index.js';
import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';

/** What this process is to its wallet. `dry-run`: it never signs, and needs no lease. */
export type Role = 'leader' | 'taking-over' | 'standby' | 'dry-run';

export interface LeaseStatus {
  readonly role: Role;
  /** Who has the lease, as far as this process knows. */
  readonly holder: string | undefined;
  readonly epoch: number | undefined;
}

/** What a lease stands on. */
export interface LeaseParts {
  readonly leases: LeasesRepository;
  readonly fence: Fence;
  readonly events: Events;
  readonly clock: Clock;
}

/**
 * The lease of one wallet, as this process knows it. Another process may take it as soon as the database says
 * that it has run out. This process stops earlier: it counts from before it asked, by its own monotonic
 * clock, without asking. So no two processes believe at one time that the lease is theirs. What a process
 * decided before it stood still is refused by the epoch, see {@link Fence}.
 */
export class Lease {
  private epoch: number | undefined;
  private validUntilMs = -Infinity;
  /** The epoch under which writes are made. */
  private openedEpoch: number | undefined;
  /** What an earlier process left is taken up, under the present epoch. */
  private isReady = false;
  private other: LeaseHolder | undefined;
  /** The last epoch that was ours, and the attempts since then that may have taken one without an answer. */
  private last = { epoch: -Infinity, unanswered: 0 };
  private changedHands = true;

  /**
   * @param key undefined: no lease is needed, because this process never signs.
   * @param holder a name that no other process has.
   * @param lastsMs for so long another process waits when this one is gone.
   */
  constructor(
    private readonly key: LeaseKey | undefined,
    private readonly holder: string,
    private readonly lastsMs: number,
    private readonly parts: LeaseParts,
  ) {
    if (key) parts.fence.close(key);
  }

  /** Whether this process may hand over and settle now. */
  get holds(): boolean {
    if (!this.key) return true;
    return this.epoch !== undefined && this.parts.clock.monotonicMs() < this.validUntilMs;
  }

  /** Whether it may sign as well: it has taken up what an earlier process left. */
  get leads(): boolean {
    return this.isReady && this.holds;
  }

  /** Whether another process may have led before the present epoch, since this one led last. */
  get followsAnother(): boolean {
    return this.changedHands;
  }

  get status(): LeaseStatus {
    if (!this.key) return { role: 'dry-run', holder: undefined, epoch: undefined };
    if (this.holds)
      return { role: this.leads ? 'leader' : 'taking-over', holder: this.holder, epoch: this.epoch };
    return { role: 'standby', holder: this.other?.holder, epoch: this.other?.epoch };
  }

  /**
   * Renews the lease, or takes it when it is free.
   *
   * @throws RetryError when the database is away: what was held is held until it runs out.
   */
  async attempt(): Promise<void> {
    if (!this.key) return;
    const { leases, clock } = this.parts;
    if (this.epoch !== undefined && this.holds) {
      const askedAtMs = clock.monotonicMs();
      if (await leases.renew(this.key, this.epoch, this.lastsMs)) {
        this.validUntilMs = askedAtMs + this.lastsMs;
        return;
      }
      this.lose('another process has taken it');
    }
    this.loseIfOver();
    const askedAtMs = clock.monotonicMs();
    this.last.unanswered += 1;
    const attempt = await leases.acquire(this.key, this.holder, this.lastsMs);
    this.last.unanswered -= 1;
    if (attempt.kind === 'held') {
      this.standBy(attempt.by);
      return;
    }
    const { epoch } = attempt;
    this.changedHands = this.other !== undefined || epoch > this.last.epoch + 1 + this.last.unanswered;
    this.last = { epoch, unanswered: 0 };
    this.epoch = epoch;
    this.validUntilMs = askedAtMs + this.lastsMs;
    this.other = undefined;
    this.parts.events.emit({ event: 'lease-acquired', wallet: this.key.wallet, epoch });
  }

  /** It has run out, and could not be renewed in time: what this process knows may be out of date. */
  loseIfOver(): void {
    if (this.key && this.epoch !== undefined && !this.holds) this.lose('it could not be renewed in time');
  }

  /**
   * From now on writes are made under the present epoch. Nothing of an earlier one may be on its way.
   *
   * @returns false when that was so already.
   */
  open(): boolean {
    const { key, epoch } = this;
    if (!key || epoch === undefined || this.openedEpoch === epoch) return false;
    this.parts.fence.hold(key, epoch);
    this.openedEpoch = epoch;
    return true;
  }

  /**
   * What an earlier process left is taken up. It does not count when the lease was lost meanwhile, and taken
   * again: writes are not made under the new epoch yet.
   */
  ready(): void {
    this.isReady = !this.key || (this.epoch !== undefined && this.epoch === this.openedEpoch);
  }

  /** Gives it back, so that another process need not wait. @throws RetryError when the database is away. */
  async release(): Promise<void> {
    const { key, epoch } = this;
    if (!key || epoch === undefined) return;
    this.lose('it was given back');
    await this.parts.leases.release(key, epoch);
  }

  private lose(reason: string): void {
    const { key, epoch } = this;
    if (!key || epoch === undefined) return;
    this.parts.fence.close(key);
    this.epoch = undefined;
    this.isReady = false;
    this.parts.events.emit({ event: 'lease-lost', wallet: key.wallet, epoch, reason });
  }

  private standBy(by: LeaseHolder | undefined): void {
    if (!this.key || !by || by.epoch === this.other?.epoch) return;
    this.other = by;
    this.parts.events.emit({ event: 'standing-by', wallet: this.key.wallet, ...by });
  }
}
