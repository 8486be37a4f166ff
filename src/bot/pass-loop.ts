import { Injectable } from '@nestjs/common';
import type { Head } from '../domain/block.js';
import { Clock } from '../domain/clock.js';
import { PassTrace } from '../domain/pass-trace.js';
import { Chain } from '../rpc/chain/chain.js';
import { FailurePolicy } from '../safety/index.js';
import { StateEngine } from '../state/state-engine.js';
import { BlockPass, type PassResult } from './block-pass.js';
import { ChainComparison } from './chain-comparison.js';
import { HeadQueue, type OwnBlock } from './head-queue.js';
import { PassWatchdog, type PassFailures } from './pass-watchdog.js';

/** Of the time between two blocks, what a pass may work. The rest is for what it waits for. */
const WORK_SHARE = 0.5;

/**
 * Runs one pass at a time, always on the newest head. Every error of a pass goes to the failure policy, and
 * every outcome to the watchdog. No error ends the loop.
 */
@Injectable()
export class PassLoop {
  private readonly queue: HeadQueue;
  private running: Promise<void> | undefined;
  private open = false;
  private last: PassResult | undefined;
  private lastEndedAtMs: number | undefined;
  private lastFailed = false;

  constructor(
    private readonly pass: BlockPass,
    private readonly comparison: ChainComparison,
    private readonly state: StateEngine,
    private readonly policy: FailurePolicy,
    private readonly watchdog: PassWatchdog,
    private readonly clock: Clock,
    private readonly chain: Chain,
  ) {
    this.queue = new HeadQueue(clock, chain.blockTime);
  }

  /** The last pass that ended without a failure. */
  get lastPass(): PassResult | undefined {
    return this.last;
  }

  /** Milliseconds since a pass ended, with or without a failure; undefined before the first. */
  get sinceLastPassMs(): number | undefined {
    return this.lastEndedAtMs === undefined ? undefined : this.clock.monotonicMs() - this.lastEndedAtMs;
  }

  /** Whether a head is being worked on. */
  get isInPass(): boolean {
    return this.running !== undefined;
  }

  /** Heads that wait for the running pass: one at most. */
  get waitingHeads(): number {
    return this.queue.newest ? 1 : 0;
  }

  get failures(): PassFailures {
    return this.watchdog.failures;
  }

  /** Heads are taken from now on. */
  start(): void {
    this.open = true;
    this.watchdog.start();
  }

  /** Takes no more heads, and resolves when the running pass and comparison have ended. */
  async stop(): Promise<void> {
    this.open = false;
    this.watchdog.stop();
    this.queue.clear();
    await Promise.all([this.running, this.comparison.idle()]);
  }

  /** Takes a new head. While a pass runs, the newest head waits. */
  enqueue(head: Head): void {
    if (!this.open) return;
    if (!this.queue.offer(head, this.ownBlock)) {
      // Before the first pass, the state has the block of the start.
      const own = (this.last?.view ?? this.state.view)?.block.number ?? -1;
      const isNews = this.running || head.number > own;
      if (!isNews) this.watchdog.rests();
      return;
    }
    this.running ??= this.work().finally(() => {
      this.running = undefined;
    });
  }

  /** No endpoint gave a head when it was asked. */
  async noHead(error: unknown): Promise<void> {
    if (this.open) this.watchdog.withoutPass(error);
    await this.policy.failed(error);
  }

  /** The state's block. After a pass that failed, the same head counts as a new one: it is tried again. */
  private get ownBlock(): OwnBlock | undefined {
    const block = this.state.view?.block;
    return block && this.lastFailed ? { number: block.number, hash: undefined } : block;
  }

  private async work(): Promise<void> {
    for (let head = this.queue.take(); head; head = this.queue.take()) {
      await this.runOne(head);
      this.lastEndedAtMs = this.clock.monotonicMs();
    }
  }

  private async runOne(head: Head): Promise<void> {
    this.watchdog.began();
    try {
      const budgetMs = this.chain.blockTime.blockTimeMs * WORK_SHARE;
      const trace = new PassTrace(this.clock, head.receivedAtMs, () => this.queue.newest, budgetMs);
      const outcome = await this.pass.run(head, trace);
      if (outcome.kind === 'failed') {
        this.failed(outcome.errors[0]);
        // The worst error comes first, and the policy acts on each one: a halt is not lost behind a retry.
        for (const error of outcome.errors) await this.policy.failed(error, head.number);
        return;
      }
      this.last = outcome;
      this.lastFailed = false;
      this.watchdog.succeeded();
      this.comparison.begin(outcome.view);
    } catch (error) {
      this.failed(error);
      await this.policy.failed(error, head.number);
    }
  }

  private failed(error: unknown): void {
    this.lastFailed = true;
    this.watchdog.failed(error ?? new Error('the head was not reached'));
  }
}
