import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { Block } from '../domain/block.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { Chain } from '../rpc/chain/chain.js';
import { SafetyController } from '../safety/index.js';
import { SequencerHealth, type BlockTime, type SequencerAnomaly } from './sequencer-health.js';

/** How long the word of another endpoint is waited for. Then that of one is taken. Milliseconds. */
const SECOND_WORD_MS = 12_000;
const ASK_AGAIN_MS = 250;
const ANSWER_MS = 1_000;

/**
 * Gives the heads to {@link SequencerHealth} and acts on an anomaly before the next signature. With two
 * endpoints, a time that jumps or goes back halts only when both have the blocks that show it (F17): one of
 * them may have invented a block. Until both have them, no plan is made on such a block (F42).
 */
@Injectable()
export class SequencerWatch {
  private readonly health: SequencerHealth;
  /** Whether there is one endpoint only. */
  private readonly isAlone: boolean;
  /** The last reported severity of stale heads. It is reported again only when it changes. */
  private reported: SequencerAnomaly['severity'] | undefined;
  private wellFromMs: number | undefined;

  constructor(
    private readonly safety: SafetyController,
    private readonly events: Events,
    private readonly clock: Clock,
    private readonly chain: Chain,
    { safety: limits, rpc }: ChimeraConfig,
  ) {
    this.health = new SequencerHealth(limits, chain.blockTime);
    this.isAlone = rpc.backup === undefined;
  }

  /** Since when nodes answer with fresh heads, without an anomaly: monotonic milliseconds. */
  get wellSinceMs(): number | undefined {
    return this.wellFromMs;
  }

  /** Takes a head as it arrives. */
  head(head: Block): void {
    const anomaly = this.health.head(head, this.clock.wallMs());
    if (!anomaly) return;
    if (this.isAlone) this.report(anomaly);
    else void this.reportUnlessInvented(anomaly);
  }

  /** A node's answer to the question for its latest block. @param askedAtMs milliseconds since the epoch. */
  answered(block: Block, askedAtMs: number): void {
    this.head(block);
    const anomaly = this.health.look(askedAtMs);
    if (anomaly && anomaly.severity !== this.reported) this.tell(anomaly);
    if (!anomaly && this.reported) this.events.emit({ event: 'sequencer-well', block: block.number });
    this.reported = anomaly?.severity;
    // At every check, because something else may have changed the safety state since. A repeated call changes
    // nothing.
    if (anomaly) this.act(anomaly);
    else {
      this.wellFromMs ??= this.clock.monotonicMs();
      void this.safety.clear('chain', 'the heads are fresh again');
    }
  }

  private async reportUnlessInvented(anomaly: SequencerAnomaly): Promise<void> {
    const endMs = this.clock.monotonicMs() + SECOND_WORD_MS;
    for (;;) {
      const verdicts = await Promise.all(anomaly.blocks.map((block) => this.hear(block)));
      const invented = anomaly.blocks.filter((_, index) => verdicts[index] === 'invented');
      for (const { hash } of invented) this.health.forget(hash);
      if (invented.length > 0) {
        this.events.emit({ event: 'block-time-not-believed', message: anomaly.message });
        return;
      }
      const isShown = verdicts.every((verdict) => verdict === 'shown');
      if (isShown || this.clock.monotonicMs() >= endMs) break;
      await sleep(ASK_AGAIN_MS, undefined, { ref: false });
    }
    this.report(anomaly);
  }

  /** What the endpoints say of a block: an invented one is not the block of this number at each of them. */
  private async hear({ number, hash, timestamp }: BlockTime): Promise<'shown' | 'invented' | 'unknown'> {
    const heard = await this.chain.blockEverywhere(number, { deadlineMs: ANSWER_MS });
    const blocks = heard.flatMap(({ value }) => value ?? []);
    if (blocks.some((block) => block.hash !== hash || block.timestamp !== timestamp)) return 'invented';
    return blocks.length > 1 ? 'shown' : 'unknown';
  }

  private report(anomaly: SequencerAnomaly): void {
    this.tell(anomaly);
    this.act(anomaly);
  }

  private tell({ kind, severity, message }: SequencerAnomaly): void {
    this.events.emit({ event: 'sequencer-anomaly', kind, severity, message });
  }

  private act({ severity, message }: SequencerAnomaly): void {
    this.wellFromMs = undefined;
    void this.safety.raise('chain', severity === 'halt' ? 'HALTED' : 'THROTTLED', message);
  }
}
