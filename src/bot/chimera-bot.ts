import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { Events } from '../domain/events/events.js';
import { ExecutionService } from '../execution/index.js';
import { FailurePolicy } from '../safety/index.js';
import { StateEngine } from '../state/state-engine.js';
import type { StateView } from '../state/state-view.js';
import { HeadWatch } from './head-watch.js';
import { PassLoop } from './pass-loop.js';

/** `starting` until the first complete view, `stopping` from the first signal on. */
export type BotPhase = 'starting' | 'running' | 'stopping';

/** How long a shut-down waits for transactions in flight. */
const DRAIN_MS = 3_000;
const START_RETRY_MS = 1_000;

/**
 * The life of the bot. At the start it takes over the transactions that an earlier process left in flight,
 * waits for the first view, and then goes live. At the end it takes no more work, finishes the running pass,
 * and follows the transactions in flight for a while. A process that stands by does
 * all of this too, except that it follows no transactions.
 */
@Injectable()
export class ChimeraBot implements OnApplicationBootstrap, OnModuleDestroy {
  private current: BotPhase = 'starting';
  private started: Promise<void> = Promise.resolve();

  constructor(
    private readonly heads: HeadWatch,
    private readonly state: StateEngine,
    private readonly execution: ExecutionService,
    private readonly loop: PassLoop,
    private readonly policy: FailurePolicy,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
  ) {}

  get phase(): BotPhase {
    return this.current;
  }

  onApplicationBootstrap(): void {
    this.started = this.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.current = 'stopping';
    this.heads.stop();
    const ended = Promise.all([this.loop.stop(), this.state.stop()]);
    this.events.emit({ event: 'bot-stopping', inFlight: this.execution.inFlight().size });
    await this.started;
    await ended;
    await this.execution.drain(DRAIN_MS);
    await this.execution.giveBackLease();
  }

  /** Takes no more heads, and follows what is in flight until it is settled or the time is over. */
  async finish(ms: number): Promise<void> {
    this.heads.stop();
    await this.loop.stop();
    await this.execution.drain(ms);
  }

  /** Tried again until it succeeds or the bot is stopped. */
  private async start(): Promise<void> {
    while (this.isStarting()) {
      try {
        const block = await this.heads.latest();
        await this.execution.recover();
        this.execution.keepLease();
        this.announce(await this.state.start(block));
        this.goLive();
        return;
      } catch (error) {
        if (!this.isStarting()) return;
        await this.policy.failed(error);
        await sleep(START_RETRY_MS);
      }
    }
  }

  private isStarting(): boolean {
    return this.current === 'starting';
  }

  private announce({ block }: StateView): void {
    const { network, execution } = this.config;
    this.events.emit({
      event: 'bot-started',
      mode: execution.mode,
      chainId: network.chainId,
      block: block.number,
      positions: this.state.positionCount,
      operator: this.execution.operator,
      chimera: execution.chimera,
    });
  }

  private goLive(): void {
    if (!this.isStarting()) return;
    this.current = 'running';
    this.loop.start();
    this.heads.start(
      (head) => this.loop.enqueue(head),
      (error) => this.loop.noHead(error),
    );
  }
}
