import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { ChimeraConfig } from '../config/index.js';
import { DivergencesRepository, ExecutionsRepository } from '../database/index.js';
import type { Block, Head } from '../domain/block.js';
import type { RejectionReason } from '../domain/decision.js';
import { consequenceOf, messageOf } from '../domain/errors.js';
import { Events } from '../domain/events/events.js';
import { ExecutionService } from '../execution/index.js';
import { Counters } from '../monitoring/counters.js';
import { Chain } from '../rpc/chain/chain.js';
import { HeadStream } from '../rpc/heads/head-stream.js';
import { SafetyController } from '../safety/index.js';
import { Reconciler, type Divergence } from '../state/reconciler.js';
import { StateEngine } from '../state/state-engine.js';
import type { StateView } from '../state/state-view.js';
import { BlockPass, type PassResult } from './block-pass.js';
import type { BotPhase, BotStatus } from './bot-status.js';
import { SequencerWatch } from './sequencer-watch.js';

const SCAN_JOB = 'scan';
/** How long a shut-down waits for transactions in flight. */
const DRAIN_MS = 3_000;
/** How long it waits for a backfill to notice. */
const BACKFILL_STOP_MS = 1_000;
const START_RETRY_MS = 1_000;
/** A head so far below our own block, and for how long it is not believed. */
const FAR_BEHIND_BLOCKS = 64;
const FAR_BEHIND_MS = 60_000;
const ACTOR = 'chimera';

/**
 * The loop. Heads come from the stream and, so that a silent stream never stops the scan, from a scheduled job; one pass
 * runs at a time and the newest head is taken next. What a pass throws is retried, skipped or halts, by its class, here
 * and nowhere else: the loop itself never dies.
 */
@Injectable()
export class ChimeraBot implements OnApplicationBootstrap, OnModuleDestroy {
  private phase: BotPhase = 'starting';
  private next: Head | undefined;
  private running: Promise<void> | undefined;
  private reconciling: Promise<void> | undefined;
  private behindSinceMs: number | undefined;
  private lookingForBorrowers: Promise<void> | undefined;
  private lastPass: PassResult | undefined;
  private lastPassEndedAtMs: number | undefined;
  private started: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();

  constructor(
    private readonly chain: Chain,
    private readonly heads: HeadStream,
    private readonly state: StateEngine,
    private readonly reconciler: Reconciler,
    private readonly divergences: DivergencesRepository,
    private readonly executions: ExecutionsRepository,
    private readonly pass: BlockPass,
    private readonly sequencer: SequencerWatch,
    private readonly safety: SafetyController,
    private readonly execution: ExecutionService,
    private readonly scheduler: SchedulerRegistry,
    private readonly counters: Counters,
    private readonly events: Events,
    private readonly config: ChimeraConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.safety.onTransition(({ from, to, reason, actor }) =>
      this.events.emit({ event: 'safety-changed', from, to, reason, actor }),
    );
    this.started = this.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.phase = 'stopping';
    this.stopping.abort();
    this.next = undefined;
    this.heads.stop();
    if (this.scheduler.doesExist('interval', SCAN_JOB)) this.scheduler.deleteInterval(SCAN_JOB);
    this.events.emit({ event: 'bot-stopping', inFlight: this.execution.inFlight().size });
    await this.started;
    await Promise.all([this.running, this.reconciling]);
    // An archive may take long to answer; what it would say is not lost, the next start asks again.
    await Promise.race([this.lookingForBorrowers, sleep(BACKFILL_STOP_MS, undefined, { ref: false })]);
    for (const settlement of await this.execution.drain(DRAIN_MS)) this.pass.report(settlement);
  }

  status(): BotStatus {
    const view = this.state.view;
    const values = this.counters.values;
    return {
      phase: this.phase,
      mode: this.config.execution.mode,
      head: view && { number: view.block.number, hash: view.block.hash, timestamp: view.block.timestamp },
      sinceLastPassMs:
        this.lastPassEndedAtMs === undefined
          ? undefined
          : Math.round(performance.now() - this.lastPassEndedAtMs),
      positions: this.state.positionCount,
      backfill: this.config.protocols.flatMap(({ name }) => {
        const progress = this.state.backfill.progressOf(name);
        return progress ? [{ market: name, ...progress }] : [];
      }),
      liquidatable: this.lastPass?.liquidatable ?? 0,
      inFlight: this.execution.inFlight().size,
      operatorBalanceWei: this.phase === 'starting' ? undefined : this.execution.operatorBalanceWei,
      counters: values,
      skipped: this.lastPass?.skipped ?? {},
    };
  }

  /** The first picture, then live; tried again until it succeeds or the bot is stopped. What is not known yet comes in the background. */
  private async start(): Promise<void> {
    while (this.phase === 'starting') {
      try {
        const block = await this.latest();
        await this.execution.recover();
        await this.executions.rejectInterrupted('interrupted' satisfies RejectionReason);
        this.announce(await this.state.start(block, this.stopping.signal));
        this.listen();
        this.lookForBorrowers();
        return;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        await this.failed(error, 0);
        await sleep(START_RETRY_MS);
      }
    }
  }

  /** The backfill, beside the live work, if it is not at it already. */
  private lookForBorrowers(): void {
    const startedAtMs = performance.now();
    const { backfill, targets } = this.state;
    this.lookingForBorrowers = backfill
      .run(
        targets,
        (market, progress) => this.events.emit({ event: 'backfill-range', market, ...progress }),
        (market, borrowers) => {
          const tookMs = Math.round(performance.now() - startedAtMs);
          this.events.emit({ event: 'backfill-finished', market, borrowers, tookMs });
        },
        this.stopping.signal,
      )
      .finally(() => {
        this.lookingForBorrowers = undefined;
      });
  }

  private announce(view: StateView): void {
    this.events.emit({
      event: 'bot-started',
      mode: this.config.execution.mode,
      chainId: this.config.network.chainId,
      block: view.block.number,
      positions: this.state.positionCount,
      operator: this.execution.operator,
      chimera: this.config.execution.chimera,
    });
  }

  private listen(): void {
    if (this.phase !== 'starting') return;
    this.phase = 'running';
    this.heads.start((head) => {
      this.sequencer.head(head);
      this.enqueue(head);
    });
    const scan = (): void => void this.scan();
    this.scheduler.addInterval(SCAN_JOB, setInterval(scan, this.config.detector.scanIntervalMs));
  }

  /** The scheduled job: a pass even when the stream has nothing to say. */
  private async scan(): Promise<void> {
    try {
      const block = await this.latest();
      this.enqueue({ ...block, receivedAtMs: performance.now() });
    } catch (error) {
      await this.failed(error, this.state.view?.block.number ?? 0);
    }
  }

  private async latest(): Promise<Block> {
    const askedAtMs = Date.now();
    const block = await this.chain.getBlock('latest');
    this.sequencer.answered(block, askedAtMs);
    return block;
  }

  /** Keeps only the newest head while a pass runs: a decision on an older one would be made on old data. */
  private enqueue(head: Head): void {
    if (this.phase !== 'running' || head.hash === this.state.view?.block.hash) return;
    if (this.next && head.number < this.next.number) return; // A late answer of the scan job.
    if (this.isFarBehind(head)) return;
    this.next = head;
    this.running ??= this.work().finally(() => {
      this.running = undefined;
    });
  }

  /** A node that fell far behind says what a very deep reorg says too, but not for long: it is not believed at once. */
  private isFarBehind({ number }: Head): boolean {
    const ours = this.state.view?.block.number ?? 0;
    if (ours - number <= FAR_BEHIND_BLOCKS) {
      this.behindSinceMs = undefined;
      return false;
    }
    const nowMs = performance.now();
    this.behindSinceMs ??= nowMs;
    return nowMs - this.behindSinceMs < FAR_BEHIND_MS;
  }

  private async work(): Promise<void> {
    for (let head = this.takeNext(); head; head = this.takeNext()) {
      try {
        this.lastPass = await this.pass.run(head);
        this.reconcile(this.lastPass.view);
      } catch (error) {
        await this.failed(error, head.number);
      }
      this.lastPassEndedAtMs = performance.now();
      // A pass may have found that everybody has to be read again.
      if (this.state.backfill.needsRun) this.lookForBorrowers();
    }
  }

  private takeNext(): Head | undefined {
    const head = this.next;
    this.next = undefined;
    return head;
  }

  /** After the pass, and beside the next one: no head waits for it. */
  private reconcile(view: StateView): void {
    this.reconciling ??= this.compare(view)
      .catch((error: unknown) => this.failed(error, view.block.number))
      .finally(() => {
        this.reconciling = undefined;
      });
  }

  /** A wrong picture halts, with the position named, and is read again from the chain; a wrong price is asked for from now on. */
  private async compare(view: StateView): Promise<void> {
    const { divergences: found, wrongPrices } = await this.reconciler.compare(view, this.state);
    for (const { market, asset, ours, chain } of wrongPrices) {
      this.state.distrust(market, asset);
      const prices = { oursUsd8: String(ours), chainUsd8: String(chain) };
      this.events.emit({
        event: 'price-differs',
        protocol: market,
        asset,
        block: view.block.number,
        ...prices,
      });
    }
    if (found.length === 0) return;
    const named = found.map(({ market, account }) => `${market} ${account}`).join(', ');
    await this.safety.halt(
      `our picture differs from the chain's at block ${view.block.number}: ${named}`,
      ACTOR,
    );
    for (const divergence of found) {
      const detail = describe(divergence);
      const { market, account } = divergence;
      this.events.emit({ event: 'divergence', protocol: market, account, block: view.block.number, detail });
      await this.divergences.insert({
        protocol: market,
        account,
        blockNumber: view.block.number,
        blockHash: view.block.hash,
        detail,
      });
      await this.state.refresh(market, [account]);
    }
  }

  /** The one place where an error's class becomes an action. */
  private async failed(error: unknown, block: number): Promise<void> {
    const consequence = consequenceOf(error);
    const message = messageOf(error);
    this.events.emit({ event: 'pass-failed', block, consequence, message });
    if (consequence === 'halt') await this.safety.halt(message, ACTOR);
  }
}

function describe({ ours, chain }: Divergence): Record<string, string> {
  return {
    ourCollateralUsd8: String(ours.totalCollateralUsd8),
    chainCollateralUsd8: String(chain.totalCollateralUsd8),
    ourDebtUsd8: String(ours.totalDebtUsd8),
    chainDebtUsd8: String(chain.totalDebtUsd8),
    ourHealthFactorWad: String(ours.healthFactorWad),
    chainHealthFactorWad: String(chain.healthFactorWad),
  };
}
