import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import { chainDescription } from '../domain/chain-description.js';
import { Clock } from '../domain/clock.js';
import { RpcPool } from '../rpc/endpoints/rpc-pool.js';
import { tipsOf } from '../rpc/chain/fee-history.js';
import type { TipsOfChain } from './least-that-wins.js';

/** Ten seconds of blocks of 200 ms. */
const BLOCKS = 50;
const PERCENTILES = [50, 90] as const;
const EVERY_MS = 5_000;
/** Nothing waits for the answer. */
const DEADLINE_MS = 4_000;
/** Older tips say nothing of the next block. */
const KEPT_MS = 60_000;

/**
 * What the chain's recent blocks paid. It is asked by a timer, so that no pass has a call more, and only
 * while the bid model needs it.
 */
@Injectable()
export class ChainTips implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private last: { readonly tips: TipsOfChain; readonly atMs: number } | undefined;
  private asking = false;

  constructor(
    private readonly pool: RpcPool,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
  ) {}

  onApplicationBootstrap(): void {
    const { planner, network } = this.config;
    if (planner.bidModel !== 'least-that-wins' || !chainDescription(network.chainId).ordersByTip) return;
    void this.ask();
    this.timer = setInterval(() => void this.ask(), EVERY_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  /** Undefined while no endpoint has told it for a minute. */
  get recent(): TipsOfChain | undefined {
    const { last } = this;
    return last && this.clock.monotonicMs() - last.atMs <= KEPT_MS ? last.tips : undefined;
  }

  /** Called by the timer. Never throws: without an answer the last one counts until it is too old. */
  async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      const [usualWei = 0n, highWei = 0n] = await tipsOf(this.pool, BLOCKS, PERCENTILES, {
        deadlineMs: DEADLINE_MS,
      });
      this.last = { tips: { usualWei, highWei }, atMs: this.clock.monotonicMs() };
    } catch {
      // The endpoints count their failures themselves.
    } finally {
      this.asking = false;
    }
  }
}
