import { hostname } from 'node:os';
import { randomBytes } from 'node:crypto';
import { RetryError } from '../domain/errors.js';
import type { FailurePolicy, SafetyController } from '../safety/index.js';
import type { Lease } from './lease.js';

/** Another process waits for so long when the leader is gone. */
export const LEASE_MS = 3_000;
const RENEW_EVERY_MS = 1_000;
/** A process that stands by asks this often whether the lease is free. */
const ASK_EVERY_MS = 500;

/** A name that no other process has, and by which an operator finds this one. */
export function holderName(): string {
  return `${hostname()}/${process.pid}/${randomBytes(3).toString('hex')}`;
}

/**
 * Keeps the lease of the wallet while this process has it, and waits for it while another one does. Then it
 * lets execution take up what that process left.
 */
export class Leadership {
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private takingOver: Promise<void> | undefined;
  private reading: Promise<void> | undefined;

  /** @param takeOver takes up what an earlier process left. It is called again after an error. */
  constructor(
    private readonly lease: Lease,
    private readonly takeOver: () => Promise<void>,
    private readonly safety: SafetyController,
    private readonly failures: FailurePolicy,
  ) {}

  /**
   * Takes the lease if it is free, and takes over; otherwise this process stands by.
   *
   * @throws RetryError when chain or database could not be asked; HaltError when the rows contradict the
   *   chain.
   */
  async attempt(): Promise<void> {
    await this.lease.attempt();
    this.safety.standBy(!this.lease.holds, this.lease.followsAnother);
    if (this.lease.holds && !this.lease.leads) await this.takeOverOnce();
  }

  /** From now on by itself, until {@link stop}. */
  begin(): void {
    if (this.stopped || this.lease.status.role === 'dry-run') return;
    this.timer ??= setTimeout(() => void this.round(), this.pauseMs);
  }

  /** Ends it, and gives the lease back. Never throws: without the database the lease runs out by itself. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await Promise.allSettled([this.takingOver, this.reading]);
    await this.lease.release().catch(() => undefined);
  }

  private get pauseMs(): number {
    return this.lease.holds ? RENEW_EVERY_MS : ASK_EVERY_MS;
  }

  private async round(): Promise<void> {
    this.timer = undefined;
    try {
      await this.lease.attempt();
    } catch (error) {
      // The database tells itself that it is away.
      if (!(error instanceof RetryError)) await this.failures.failed(error);
    }
    this.lease.loseIfOver();
    this.safety.standBy(!this.lease.holds, this.lease.followsAnother);
    this.reading ??= this.safety.refresh().finally(() => {
      this.reading = undefined;
    });
    // Not waited for: the lease has to be renewed meanwhile.
    if (!this.stopped && this.lease.holds && !this.lease.leads)
      this.takeOverOnce().catch((error: unknown) => this.failures.failed(error));
    this.begin();
  }

  private takeOverOnce(): Promise<void> {
    this.takingOver ??= this.takeOverNow().finally(() => {
      this.takingOver = undefined;
    });
    return this.takingOver;
  }

  private async takeOverNow(): Promise<void> {
    await this.safety.refresh();
    await this.safety.volume.reload();
    await this.takeOver();
  }
}
