import { Injectable } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { ChimeraConfig } from '../config/index.js';
import type { Block, Head } from '../domain/block.js';
import { Clock } from '../domain/clock.js';
import { RetryError } from '../domain/errors.js';
import { Chain } from '../rpc/chain/chain.js';
import { HeadStream } from '../rpc/heads/head-stream.js';
import { ClockWatch } from './clock-watch.js';
import { SequencerWatch } from './sequencer-watch.js';

const SCAN_JOB = 'scan';

/**
 * The heads for the loop. They come from the stream and from a scheduled job, so that a silent stream never
 * stops the loop. Each head also goes to {@link SequencerWatch}.
 */
@Injectable()
export class HeadWatch {
  constructor(
    private readonly chain: Chain,
    private readonly stream: HeadStream,
    private readonly sequencer: SequencerWatch,
    private readonly clocks: ClockWatch,
    private readonly scheduler: SchedulerRegistry,
    private readonly clock: Clock,
    private readonly config: ChimeraConfig,
  ) {}

  /** The newest block, asked now. @throws RetryError when no endpoint answers one that is believed. */
  async latest(): Promise<Block> {
    await this.clocks.lookIfDue();
    const askedAtMs = this.clock.wallMs();
    const block = await this.chain.getBlock('latest');
    if (!(await this.stream.believes(block)))
      throw new RetryError(`block ${block.number}, which is said to be the newest, links to no known block`);
    this.sequencer.answered(block, askedAtMs);
    return block;
  }

  /** @param onFailure called when a scan got no block from any endpoint. */
  start(onHead: (head: Head) => void, onFailure: (error: unknown) => Promise<void>): void {
    this.stream.start((head) => {
      this.sequencer.head(head);
      onHead(head);
    });
    const scan = (): void => void this.scan(onHead, onFailure);
    this.scheduler.addInterval(SCAN_JOB, setInterval(scan, this.config.detector.scanIntervalMs));
  }

  stop(): void {
    this.stream.stop();
    if (this.scheduler.doesExist('interval', SCAN_JOB)) this.scheduler.deleteInterval(SCAN_JOB);
  }

  private async scan(
    onHead: (head: Head) => void,
    onFailure: (error: unknown) => Promise<void>,
  ): Promise<void> {
    try {
      const block = await this.latest();
      onHead({ ...block, receivedAtMs: this.clock.monotonicMs() });
    } catch (error) {
      await onFailure(error);
    }
  }
}
