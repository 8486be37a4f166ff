import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Clock } from '../domain/clock.js';
import { HaltError, messageOf } from '../domain/errors.js';
import { RpcError } from '../rpc/rpc-errors.js';
import { FailurePolicy } from '../safety/index.js';

/** Without a successful pass for so long, the bot halts. Milliseconds. */
const LONGEST_WITHOUT_PASS_MS = 30_000;
/** A chain at rest is noticed at each scan. So many scans must be missing before that counts as silence. */
const SCANS = 3;
const TICK_MS = 1_000;
/** A tick that comes later than this does not count for longer: the process itself stood still. */
const LONGEST_TICK_MS = 2 * TICK_MS;
/** Errors that come faster count as one. Milliseconds. */
const ERROR_EVERY_MS = 1_000;
/** Passes are failing, as far as probes are concerned, beyond so many in a row or so many milliseconds. */
const TOLERATED_FAILURES = 3;
const TOLERATED_MS = 5_000;

/** How the passes fare since one succeeded last. */
export interface PassFailures {
  /** Failed in a row, since the last that succeeded. */
  readonly failedInARow: number;
  /** Since the first of them began, in milliseconds; undefined while none has failed. */
  readonly failingSinceMs: number | undefined;
  /** How long the present pass has been running, in milliseconds; undefined while none runs. */
  readonly runningSinceMs: number | undefined;
  readonly lastError: string | undefined;
  /** More failures, or for longer, than a probe should overlook. */
  readonly serious: boolean;
}

/**
 * Halts the bot when no pass has succeeded for 30 s, whatever the reason: passes that fail, a pass that never
 * ends, no node that gives a head. It runs by a timer of its own and waits for no answer.
 *
 * A chain at rest is no failure: a node answers, and says that the block of the last pass is still the newest
 * one. The age of such a block is judged by SequencerWatch. Time in which this process did not run does not
 * count.
 */
@Injectable()
export class PassWatchdog {
  private readonly limitMs: number;
  private readonly maxErrors: number;
  private timer: NodeJS.Timeout | undefined;
  private tickedAtMs = 0;
  private withoutPassMs = 0;
  private failedInARow = 0;
  private failingFromMs: number | undefined;
  private beganAtMs: number | undefined;
  private lastError: string | undefined;
  /** Of the failures in a row, those that endpoints did not cause by their silence. */
  private errors = 0;
  private erredAtMs = -Infinity;

  constructor(
    private readonly policy: FailurePolicy,
    private readonly clock: Clock,
    { detector, safety }: ChimeraConfig,
  ) {
    this.maxErrors = safety.maxPassErrors;
    this.limitMs = Math.max(LONGEST_WITHOUT_PASS_MS, SCANS * detector.scanIntervalMs);
  }

  start(): void {
    this.tickedAtMs = this.clock.monotonicMs();
    this.withoutPassMs = 0;
    this.timer ??= setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** A pass begins. */
  began(): void {
    this.beganAtMs = this.clock.monotonicMs();
  }

  /** The pass came to its end. */
  succeeded(): void {
    this.rests();
    this.failedInARow = 0;
    this.failingFromMs = undefined;
    this.lastError = undefined;
    this.beganAtMs = undefined;
    this.errors = 0;
  }

  /** The pass ended with an error. */
  failed(error: unknown): void {
    this.withoutPass(error);
    this.countError(error);
  }

  /** There is no pass: it ended with an error, or no node gave a head that is believed for one. */
  withoutPass(error: unknown): void {
    this.failingFromMs ??= this.beganAtMs ?? this.clock.monotonicMs();
    this.failedInARow += 1;
    this.lastError = messageOf(error);
    this.beganAtMs = undefined;
  }

  /** A node answered, and there is nothing new to work on. */
  rests(): void {
    this.withoutPassMs = 0;
  }

  /** Whether passes succeed, or the chain is at rest. */
  get isWell(): boolean {
    return this.failedInARow === 0 && this.withoutPassMs < this.limitMs / 2;
  }

  get failures(): PassFailures {
    const nowMs = this.clock.monotonicMs();
    const since = (ms: number | undefined): number | undefined => (ms === undefined ? ms : nowMs - ms);
    const failingSinceMs = since(this.failingFromMs);
    const runningSinceMs = since(this.beganAtMs);
    const serious =
      this.failedInARow > TOLERATED_FAILURES ||
      (failingSinceMs ?? 0) > TOLERATED_MS ||
      (runningSinceMs ?? 0) > TOLERATED_MS;
    const { failedInARow, lastError } = this;
    return { failedInARow, failingSinceMs, runningSinceMs, lastError, serious };
  }

  /** Called by the timer. */
  tick(): void {
    const nowMs = this.clock.monotonicMs();
    this.withoutPassMs += Math.min(nowMs - this.tickedAtMs, LONGEST_TICK_MS);
    this.tickedAtMs = nowMs;
    if (this.withoutPassMs <= this.limitMs) return;
    // After a resume it halts again when the same time has passed without a success.
    this.withoutPassMs = 0;
    const message = `no pass has succeeded for ${this.limitMs / 1_000} s: ${this.cause()}`;
    void this.policy.halt(message, this.isSilence(nowMs) ? 'rpc' : 'passes');
  }

  /** Nothing but silent endpoints was met. A pass that has begun anew may wait for one of them too. */
  private isSilence(nowMs: number): boolean {
    if (this.errors > 0) return false;
    if (this.beganAtMs === undefined) return true;
    return this.failedInARow > 0 && nowMs - this.beganAtMs < this.limitMs / 2;
  }

  /** Endpoints that do not serve are judged by time alone: the halt for them ends by itself. */
  private countError(error: unknown): void {
    const nowMs = this.clock.monotonicMs();
    if (isSilence(error) || nowMs - this.erredAtMs < ERROR_EVERY_MS) return;
    this.erredAtMs = nowMs;
    this.errors += 1;
    if (this.errors < this.maxErrors) return;
    this.errors = 0;
    void this.policy.halt(
      `${this.maxErrors} passes failed in a row, the last one: ${this.lastError ?? ''}`,
      'passes',
    );
  }

  private cause(): string {
    if (this.lastError !== undefined)
      return `${this.failedInARow} failed in a row, the last one: ${this.lastError}`;
    return this.beganAtMs === undefined ? 'no node gives a head' : 'the pass that runs does not end';
  }
}

/** No endpoint serves, whatever it says. An answer that is wrong is another matter. */
function isSilence(error: unknown): boolean {
  if (error instanceof HaltError) return error.about === 'rpc';
  return error instanceof RpcError && error.kind !== 'bad-answer';
}
