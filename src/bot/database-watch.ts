import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { DatabaseAvailability, DatabaseProbe } from '../database/index.js';
import { SafetyController } from '../safety/index.js';
import { WriteQueue, type WriteQueueStatus } from './write-queue.js';

const TICK_MS = 1_000;
/** An answer that takes longer is slow: a plan has to be made durable within a block. */
const SLOW_MS = 2_000;
/** It is well when no statement has failed, and none was slow, for so long. */
const WELL_AFTER_MS = 10_000;

/** How the database fares, and what waits for it. */
export interface DatabaseStatus extends WriteQueueStatus {
  /** Milliseconds since the first statement that failed, with none answered since; 0 while it serves. */
  readonly awayForMs: number;
  /** How long the last answer took, or how long the present one has been awaited: milliseconds. */
  readonly latencyMs: number;
  /** Changes of the safety state that wait for it. */
  readonly safetyChanges: number;
}

/**
 * Throttles while the database is away or slow, and halts when it is away for too long (F28, F30). It asks
 * the database each second by itself, and waits for no answer.
 */
@Injectable()
export class DatabaseWatch implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly haltAfterMs: number;
  private timer: NodeJS.Timeout | undefined;
  /** Looks in a row at which it was not slow. */
  private fastTicks = WELL_AFTER_MS / TICK_MS;

  constructor(
    private readonly probe: DatabaseProbe,
    private readonly availability: DatabaseAvailability,
    private readonly writes: WriteQueue,
    private readonly safety: SafetyController,
    { safety: { haltDatabaseAwaySeconds } }: ChimeraConfig,
  ) {
    this.haltAfterMs = haltDatabaseAwaySeconds * 1_000;
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  get status(): DatabaseStatus {
    return {
      awayForMs: Math.round(this.availability.awayForMs),
      latencyMs: Math.round(this.probe.latencyMs),
      safetyChanges: this.safety.unsavedCount,
      ...this.writes.status,
    };
  }

  /** Called by the timer. */
  tick(): void {
    void this.probe.ask();
    const { awayForMs, sinceFailureMs } = this.availability;
    const { latencyMs } = this.probe;
    const awaySeconds = Math.round(awayForMs / 1_000);
    this.fastTicks = latencyMs > SLOW_MS ? 0 : this.fastTicks + 1;
    const calmMs = Math.min(sinceFailureMs, this.fastTicks * TICK_MS);
    if (awayForMs >= this.haltAfterMs)
      void this.safety.raise('database', 'HALTED', `the database has been away for ${awaySeconds} s`, {
        awaySeconds,
      });
    else if (awayForMs > 0)
      void this.safety.raise('database', 'THROTTLED', 'the database is away', { awaySeconds });
    else if (latencyMs > SLOW_MS)
      void this.safety.raise('database', 'THROTTLED', 'the database is slow', {
        latencyMs: Math.round(latencyMs),
      });
    else if (calmMs >= WELL_AFTER_MS) void this.safety.clear('database', 'the database serves again');
  }
}
