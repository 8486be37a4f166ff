import { messageOf } from '../../domain/errors.js';
import type { Address } from '../../domain/hex.js';
import type { Chain } from '../../rpc/chain/chain.js';
import { inRanges } from '../../state/ranges.js';
import { checkLog } from './events.js';
import { preChangesOf, PRE_TOPIC } from './pre-liquidation-events.js';
import type { PreLiquidation } from './pre-liquidation.js';

/** History is read from the archive endpoint, when one is configured. Such an answer takes longer. */
const HISTORY = { archive: true, deadlineMs: 15_000, check: checkLog } as const;
/** The wait after a failure. Seconds of block time. */
const PAUSE_SECONDS = 30;

export interface SearchedFactory {
  readonly morpho: Address;
  readonly preLiquidationFactory: Address;
  /** The first block that is read. */
  readonly fromBlock: number;
}

/**
 * Reads the contracts that a factory has made before the first block that is followed. A few hundred logs are
 * not worth a table: it reads them again at each start, in the background, in ranges as the backfill does.
 */
export class PreLiquidationSearch {
  private next = 0;
  private goal = -1;
  private askAt = 0;
  private running: AbortController | undefined;
  private lastFailure: string | undefined;

  constructor(
    private readonly chain: Chain,
    private readonly factory: SearchedFactory,
    private readonly onFound: (contract: PreLiquidation) => void,
  ) {}

  get isDone(): boolean {
    return this.next > this.goal;
  }

  /** Why it waits; undefined while it goes on. */
  get failure(): string | undefined {
    return this.lastFailure;
  }

  /** Begins again. @param goal the last block to read. */
  restart(goal: number): void {
    this.running?.abort();
    this.running = undefined;
    this.next = this.factory.fromBlock;
    this.goal = goal;
    this.askAt = 0;
    this.lastFailure = undefined;
  }

  /** To be called at each head. @param now of the block, seconds since the epoch. */
  wake(now: number): void {
    if (this.isDone || this.running || now < this.askAt) return;
    const running = new AbortController();
    this.running = running;
    this.askAt = now + PAUSE_SECONDS;
    void this.search(running.signal).finally(() => {
      if (this.running === running) this.running = undefined;
    });
  }

  /** Never rejects: what failed is tried again, and the status tells why. */
  private async search(signal: AbortSignal): Promise<void> {
    const { preLiquidationFactory } = this.factory;
    try {
      await inRanges(
        (fromBlock, toBlock) =>
          this.chain.getLogs({ fromBlock, toBlock }, [preLiquidationFactory], [PRE_TOPIC.created], HISTORY),
        this.next,
        this.goal,
        (logs, upTo) => {
          for (const change of preChangesOf(this.factory, logs))
            if (change.kind === 'created') this.onFound(change.created);
          this.next = upTo + 1;
          this.lastFailure = undefined;
        },
        { span: () => this.chain.logSpan({ archive: true }), signal },
      );
    } catch (error) {
      if (!signal.aborted) this.lastFailure = messageOf(error);
    }
  }
}
