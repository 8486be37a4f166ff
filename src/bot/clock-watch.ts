import { Injectable } from '@nestjs/common';
import { ServerClock } from '../database/index.js';
import { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import { Chain } from '../rpc/chain/chain.js';
import { FailurePolicy } from '../safety/index.js';

const LOOK_EVERY_MS = 60_000;
/** A smaller difference is not corrected: a block is seconds old when it arrives. */
const TOLERATED_MS = 30_000;

/**
 * Compares the clock of this machine with that of the database server and with the time of the newest block
 * (F18). Two of the three rule. When this machine is the one that differs, its clock is corrected for the
 * whole bot: the age of blocks, the UTC day of the limits, the times of rows. It warns in both cases, once.
 *
 * An embedded database has the clock of this machine, so it corrects nothing. A chain that is late too then
 * looks like a clock that is ahead, and halts as such.
 */
@Injectable()
export class ClockWatch {
  private lookedAtMs = -Infinity;
  private first: Promise<void> | undefined;
  private told: string | undefined;

  constructor(
    private readonly server: ServerClock,
    private readonly chain: Chain,
    private readonly clock: Clock,
    private readonly policy: FailurePolicy,
    private readonly events: Events,
  ) {}

  /** Once a minute. Only the first look is waited for: what is judged before it may be judged wrong. */
  async lookIfDue(): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.lookedAtMs >= LOOK_EVERY_MS) {
      this.lookedAtMs = nowMs;
      const look = this.look();
      this.first ??= look;
    }
    await this.first;
  }

  /** Never throws: without database or chain the last correction stays. */
  async look(): Promise<void> {
    try {
      const offsetMs = await this.offset();
      if (Math.abs(offsetMs) < TOLERATED_MS) {
        this.correct(0, undefined);
        return;
      }
      const { timestamp } = await this.chain.getBlock('latest');
      const blockMs = timestamp * 1_000;
      const ownMs = this.clock.wallMs() - this.clock.correctionMs;
      const isOurs = Math.abs(blockMs - ownMs - offsetMs) < Math.abs(blockMs - ownMs);
      this.correct(isOurs ? offsetMs : 0, isOurs ? 'machine' : 'database', offsetMs);
    } catch (error) {
      if (!(error instanceof RetryError)) await this.policy.failed(error);
    }
  }

  /** How far the clock of the server is ahead of that of this machine. Milliseconds. @throws RetryError */
  private async offset(): Promise<number> {
    const askedAtMs = this.clock.monotonicMs();
    const serverMs = await this.server.nowMs();
    const halfMs = (this.clock.monotonicMs() - askedAtMs) / 2;
    if (!Number.isFinite(serverMs)) throw new RetryError(`the database gives no time, but ${serverMs}`);
    return Math.round(serverMs - (this.clock.wallMs() - this.clock.correctionMs - halfMs));
  }

  private correct(correctionMs: number, wrong: 'machine' | 'database' | undefined, offByMs = 0): void {
    this.clock.correctionMs = correctionMs;
    if (wrong === this.told) return;
    this.told = wrong;
    this.events.emit(wrong ? { event: 'clock-off', wrong, offByMs } : { event: 'clock-well' });
  }
}
