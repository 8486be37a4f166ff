import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import { memoryUsage, cpuUsage, uptime, versions } from 'node:process';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ChimeraConfig } from '../../config/index.js';
import { Clock } from '../../domain/clock.js';
import { programBuild, type ProgramBuild } from './program-build.js';
import { EventMetrics } from './event-metrics.js';
import { Metrics } from './metrics.js';
import type { MetricSource, Readings } from './metric-source.js';

/** How exactly delays of the event loop are measured, in milliseconds. */
const RESOLUTION_MS = 20;
/** Two readers in this time are told the same delays, and a window is at least this long. */
const WINDOW_MS = 10_000;
const QUANTILES = ['0.5', '0.99', '1'] as const;

/** What the process says of itself. */
@Injectable()
export class ProcessReadings implements MetricSource, OnModuleInit, OnApplicationShutdown {
  private readonly startedAtSeconds: number;
  private build: ProgramBuild | undefined;
  private delay: IntervalHistogram | undefined;
  private window: { readonly atMs: number; readonly seconds: readonly number[] } | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly events: EventMetrics,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
  ) {
    this.startedAtSeconds = clock.wallMs() / 1_000 - uptime();
  }

  async onModuleInit(): Promise<void> {
    const { metrics, cloudwatch } = this.config.monitoring;
    if (!metrics && !cloudwatch) return;
    this.metrics.readFrom(this);
    this.delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.delay.enable();
    this.build = await programBuild();
  }

  onApplicationShutdown(): void {
    this.delay?.disable();
  }

  readInto(readings: Readings): void {
    if (this.build) readings.set('chimera_build_info', { ...this.build, node: versions.node }, 1);
    readings.set('chimera_process_start_timestamp_seconds', {}, this.startedAtSeconds);
    const { user, system } = cpuUsage();
    readings.set('chimera_process_cpu_seconds_total', {}, (user + system) / 1_000_000);
    const { rss, heapUsed } = memoryUsage();
    readings.set('chimera_process_resident_memory_bytes', {}, rss);
    readings.set('chimera_process_heap_used_bytes', {}, heapUsed);
    for (const [index, quantile] of QUANTILES.entries())
      readings.set('chimera_event_loop_delay_seconds', { quantile }, this.delays()[index]);
    const { databaseUp, cacheUp, lastGoodPassAtMs } = this.events.news;
    readings.flag('chimera_database_up', {}, databaseUp);
    readings.flag('chimera_cache_up', {}, cacheUp);
    const lastGoodPass = lastGoodPassAtMs === undefined ? this.startedAtSeconds : lastGoodPassAtMs / 1_000;
    readings.set('chimera_last_good_pass_timestamp_seconds', {}, lastGoodPass);
  }

  /** By quantile. The window begins anew when it is older than its least length. */
  private delays(): readonly number[] {
    const nowMs = this.clock.monotonicMs();
    if (this.window && nowMs - this.window.atMs < WINDOW_MS) return this.window.seconds;
    const { delay } = this;
    if (!delay || delay.count === 0) return [];
    const shown = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1_000);
    const seconds = QUANTILES.map((quantile) => shown(delay.percentile(Number(quantile) * 100)));
    delay.reset();
    this.window = { atMs: nowMs, seconds };
    return seconds;
  }
}
