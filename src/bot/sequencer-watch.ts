import { Injectable } from '@nestjs/common';
import { ChimeraConfig } from '../config/index.js';
import type { Block } from '../domain/block.js';
import { chainDescription } from '../domain/chain-description.js';
import { Clock } from '../domain/clock.js';
import { Events } from '../domain/events/events.js';
import { FailurePolicy, SafetyController } from '../safety/index.js';
import { SequencerHealth, type SequencerAnomaly } from './sequencer-health.js';

/** Gives the heads to {@link SequencerHealth} and acts on an anomaly before the next signature. */
@Injectable()
export class SequencerWatch {
  private readonly health: SequencerHealth;
  /** The last reported severity of stale heads. It is reported again only when it changes. */
  private reported: SequencerAnomaly['severity'] | undefined;

  constructor(
    private readonly safety: SafetyController,
    private readonly policy: FailurePolicy,
    private readonly events: Events,
    private readonly clock: Clock,
    { network, safety: limits }: ChimeraConfig,
  ) {
    this.health = new SequencerHealth(limits, chainDescription(network.chainId));
  }

  /** Takes a head as it arrives. */
  head(head: Block): void {
    const anomaly = this.health.head(head, this.clock.wallMs());
    if (!anomaly) return;
    this.events.emit({ event: 'sequencer-anomaly', ...anomaly });
    this.act(anomaly);
  }

  /** A node's answer to the question for its latest block. @param askedAtMs milliseconds since the epoch. */
  answered(block: Block, askedAtMs: number): void {
    this.head(block);
    const anomaly = this.health.look(askedAtMs);
    if (anomaly && anomaly.severity !== this.reported)
      this.events.emit({ event: 'sequencer-anomaly', ...anomaly });
    if (!anomaly && this.reported) this.events.emit({ event: 'sequencer-well', block: block.number });
    this.reported = anomaly?.severity;
    // At every check, because something else may have changed the safety state since. A repeated call changes
    // nothing.
    if (anomaly) this.act(anomaly);
    else void this.safety.unthrottle('the heads are fresh again');
  }

  private act({ severity, message }: SequencerAnomaly): void {
    void (severity === 'halt' ? this.policy.halt(message) : this.safety.throttle(message));
  }
}
