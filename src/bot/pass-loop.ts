import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { Head } from '../domain/block.js';
import { chainDescription } from '../domain/chain-description.js';
import { Clock } from '../domain/clock.js';
import { PassTrace } from '../domain/pass-trace.js';
import { FailurePolicy } from '../safety/index.js';
import { StateEngine } from '../state/state-engine.js';
import { BlockPass, type PassResult } from './block-pass.js';
import { ChainComparison } from './chain-comparison.js';
import { HeadQueue } from './head-queue.js';

/**
 * One pass at a time, always on the newest head. Whatever a pass reports as wrong goes to the failure policy;
 * the loop itself never ends by an error.
 */
@Injectable()
export class PassLoop {
  private readonly queue: HeadQueue;
  private running: Promise<void> | undefined;
  private open = false;
  private last: PassResult | undefined;
  private lastEndedAtMs: number | undefined;

  constructor(
    private readonly pass: BlockPass,
    private readonly comparison: ChainComparison,
    private readonly state: StateEngine,
    private readonly policy: FailurePolicy,
    private readonly clock: Clock,
    { network }: ChimeraConfig,
  ) {
    this.queue = new HeadQueue(clock, chainDescription(network.chainId));
  }

  /** The last pass that came to its end. */
  get lastPass(): PassResult | undefined {
    return this.last;
  }

  /** Milliseconds since a pass ended, well or not; undefined before the first. */
  get sinceLastPassMs(): number | undefined {
    return this.lastEndedAtMs === undefined ? undefined : this.clock.monotonicMs() - this.lastEndedAtMs;
  }

  /** Heads are taken from now on. */
  start(): void {
    this.open = true;
  }

  /** Ends with the pass and the comparison that are under way; no further head is taken. */
  async stop(): Promise<void> {
    this.open = false;
    this.queue.clear();
    await Promise.all([this.running, this.comparison.idle()]);
  }

  /** A head was seen. While a pass runs, the newest one waits for it to end. */
  enqueue(head: Head): void {
    if (!this.open || !this.queue.offer(head, this.state.view?.block)) return;
    this.running ??= this.work().finally(() => {
      this.running = undefined;
    });
  }

  private async work(): Promise<void> {
    for (let head = this.queue.take(); head; head = this.queue.take()) {
      await this.runOne(head);
      this.lastEndedAtMs = this.clock.monotonicMs();
    }
  }

  private async runOne(head: Head): Promise<void> {
    try {
      const trace = new PassTrace(this.clock, head.receivedAtMs);
      const outcome = await this.pass.run(head, trace);
      if (outcome.kind === 'failed') {
        // The worst comes first, and each is acted on: a halt is not lost behind an error that is retried.
        for (const error of outcome.errors) await this.policy.failed(error, head.number);
        return;
      }
      this.last = outcome;
      this.comparison.begin(outcome.view);
    } catch (error) {
      await this.policy.failed(error, head.number);
    }
  }
}
