import type { Block } from './block.js';
import type { ChainDescription } from './chain-description.js';

/** Block times are whole seconds. Over so many, the mean of a block is wrong by a sixteenth at most. */
const SPAN_SECONDS = 16;
/** The median of so many spans counts: a chain that stood still for one or two of them changes nothing. */
const SPANS = 9;
/** Fewer spans say nothing yet. */
const LEAST_SPANS = 3;
/** No chain is faster or slower. Milliseconds. */
const FASTEST_MS = 50;
const SLOWEST_MS = 60_000;

/**
 * How long a chain takes for a block: what its description says, until enough heads have told. Windows that
 * are named in seconds become blocks by it.
 */
export class BlockTime implements Pick<ChainDescription, 'blockTimeMs'> {
  private readonly spans: number[] = [];
  private from: Pick<Block, 'number' | 'timestamp'> | undefined;
  private measuredMs: number | undefined;
  private last: Pick<Block, 'number' | 'timestamp'> | undefined;
  /** The fewest seconds that were seen from one block to the next. */
  private leastSeconds = Infinity;
  /** The first block that was seen with the newest time. */
  private first: Pick<Block, 'number' | 'timestamp'> | undefined;

  constructor(private readonly described: Pick<ChainDescription, 'blockTimeMs'>) {}

  /** Milliseconds from one block to the next. */
  get blockTimeMs(): number {
    return this.measuredMs ?? this.described.blockTimeMs;
  }

  /** Whether it is what heads told. */
  get isMeasured(): boolean {
    return this.measuredMs !== undefined;
  }

  /**
   * The earliest time of the block after this one, in seconds since the epoch. Where several blocks share a
   * second, it is the same second until as many were seen as fit into it. A measured time is a little off,
   * so both are rounded. A description may be wrong: until the time is measured, no more is expected than
   * was seen.
   */
  earliestAfter({ number, timestamp }: Pick<Block, 'number' | 'timestamp'>): number {
    const seconds = this.blockTimeMs / 1_000;
    if (!this.isMeasured && this.leastSeconds < seconds) return timestamp + this.leastSeconds;
    if (seconds >= 1) return timestamp + Math.round(seconds);
    const first = this.first?.timestamp === timestamp ? this.first.number : number;
    return number - first + 1 >= Math.round(1 / seconds) ? timestamp + 1 : timestamp;
  }

  /** Takes a head that is believed. A head that is not above the last ones begins a new span. */
  saw({ number, timestamp }: Pick<Block, 'number' | 'timestamp'>): void {
    const { first } = this;
    if (!first || timestamp !== first.timestamp || number < first.number) this.first = { number, timestamp };
    if (this.last && number === this.last.number + 1 && timestamp >= this.last.timestamp)
      this.leastSeconds = Math.min(this.leastSeconds, timestamp - this.last.timestamp);
    this.last = { number, timestamp };
    const { from } = this;
    if (!from || number < from.number || timestamp < from.timestamp) {
      this.from = { number, timestamp };
      return;
    }
    const [blocks, seconds] = [number - from.number, timestamp - from.timestamp];
    if (blocks === 0 || seconds < SPAN_SECONDS) return;
    this.from = { number, timestamp };
    this.spans.push(Math.min(SLOWEST_MS, Math.max(FASTEST_MS, (seconds * 1_000) / blocks)));
    if (this.spans.length > SPANS) this.spans.shift();
    if (this.spans.length >= LEAST_SPANS) this.measuredMs = median(this.spans);
  }
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)];
}
