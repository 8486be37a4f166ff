import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { SafetyController } from '../safety/index.js';
import { PassWatchdog } from './pass-watchdog.js';
import { SequencerWatch } from './sequencer-watch.js';

const TICK_MS = 1_000;

/**
 * Ends the halt of an outage of the chain or of all endpoints, once heads were fresh and passes succeeded for
 * `safety.resumeAfterSeconds` without a break. A halt of any other cause stays, and so does the state HALTED
 * as long as one is left.
 */
@Injectable()
export class WayBack implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly afterMs: number;
  private timer: NodeJS.Timeout | undefined;
  private wellFromMs: number | undefined;

  constructor(
    private readonly sequencer: SequencerWatch,
    private readonly watchdog: PassWatchdog,
    private readonly safety: SafetyController,
    private readonly clock: Clock,
    { safety: { resumeAfterSeconds } }: ChimeraConfig,
  ) {
    this.afterMs = resumeAfterSeconds * 1_000;
  }

  onApplicationBootstrap(): void {
    if (this.afterMs > 0) this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Called by the timer. */
  tick(): void {
    const { wellSinceMs } = this.sequencer;
    if (wellSinceMs === undefined || !this.watchdog.isWell) {
      this.wellFromMs = undefined;
      return;
    }
    const nowMs = this.clock.monotonicMs();
    this.wellFromMs = Math.max(this.wellFromMs ?? nowMs, wellSinceMs);
    if (nowMs - this.wellFromMs < this.afterMs) return;
    const reason = `chain and endpoints were well for ${this.afterMs / 1_000} s`;
    for (const cause of ['chain', 'rpc'] as const) void this.safety.clear(cause, reason, { endsHalt: true });
  }
}
