import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { Block } from '../domain/block.js';
import { Events } from '../domain/events/events.js';
import { SafetyController } from '../safety/index.js';
import { SequencerHealth, type SequencerAnomaly } from './sequencer-health.js';

/** Gives the heads to {@link SequencerHealth}, and what that says to safety, which acts before this returns, and to the log. */
@Injectable()
export class SequencerWatch {
  private readonly health: SequencerHealth;
  /** What was last said of stale heads: it is said again when it gets worse or better, not at every look. */
  private told: SequencerAnomaly['severity'] | undefined;

  constructor(
    private readonly safety: SafetyController,
    private readonly events: Events,
    { safety: limits }: ChimeraConfig,
  ) {
    this.health = new SequencerHealth(limits);
  }

  /** A head as it came. */
  head(head: Block): void {
    const anomaly = this.health.head(head, Date.now());
    if (!anomaly) return;
    this.events.emit({ event: 'sequencer-anomaly', ...anomaly });
    this.act(anomaly);
  }

  /** A node's answer to the question for its latest block. @param askedAtMs milliseconds since the epoch. */
  answered(block: Block, askedAtMs: number): void {
    this.head(block);
    const anomaly = this.health.look(askedAtMs);
    if (anomaly && anomaly.severity !== this.told)
      this.events.emit({ event: 'sequencer-anomaly', ...anomaly });
    if (!anomaly && this.told) this.events.emit({ event: 'sequencer-well', block: block.number });
    this.told = anomaly?.severity;
    // Each time: the state may have been changed by others meanwhile, and to say it again changes nothing.
    if (anomaly) this.act(anomaly);
    else void this.safety.unthrottle('the heads are fresh again');
  }

  private act({ severity, message }: SequencerAnomaly): void {
    void (severity === 'halt' ? this.safety.halt(message, 'chimera') : this.safety.throttle(message));
  }
}
