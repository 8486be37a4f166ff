import { RetryError } from '../../domain/errors.js';
import { floatRatioAtTick, MAX_TICK, MIN_TICK } from './tick-math.js';

/** One initialised tick of a pool. */
export interface Tick {
  readonly tick: number;
  /** What is added to the liquidity in range when the price rises over the tick. */
  readonly liquidityNet: bigint;
  /** The liquidity of all positions that begin or end here. Above 0. */
  readonly liquidityGross: bigint;
}

/**
 * The initialised ticks of a pool, ascending. It never changes: another position gives another table. Kept as
 * columns, because two thousand pools have more than a hundred thousand ticks.
 */
export class TickTable {
  private constructor(
    readonly tickSpacing: number,
    /** Ascending. */
    readonly ticks: readonly number[],
    readonly nets: readonly bigint[],
    private readonly grosses: readonly bigint[],
    /** sqrt(1.0001^tick) as floats: for estimates, as is the next one. */
    readonly floatRatios: readonly number[],
    /** The liquidity between each tick and the next one. */
    readonly floatLiquidities: readonly number[],
  ) {}

  /**
   * @param entries in any order; those without any liquidity are left out.
   * @throws RetryError when a tick is out of its range, off the spacing, or there twice: a bad answer.
   */
  static of(entries: Iterable<Tick>, tickSpacing: number): TickTable {
    const sorted = [...entries]
      .filter(({ liquidityGross }) => liquidityGross !== 0n)
      .sort((a, b) => a.tick - b.tick);
    sorted.forEach(({ tick }, index) => {
      expectTick(tick, tickSpacing);
      if (sorted[index + 1]?.tick === tick) throw new RetryError(`tick ${tick} of a pool is there twice`);
    });
    const nets = sorted.map(({ liquidityNet }) => liquidityNet);
    return new TickTable(
      tickSpacing,
      sorted.map(({ tick }) => tick),
      nets,
      // Most ticks belong to one position: both columns hold the same object then.
      sorted.map(({ liquidityNet, liquidityGross }) =>
        liquidityNet === liquidityGross ? liquidityNet : liquidityGross,
      ),
      sorted.map(({ tick }) => floatRatioAtTick(tick)),
      liquiditiesOf(nets),
    );
  }

  get size(): number {
    return this.ticks.length;
  }

  /** Ascending. */
  *entries(): IterableIterator<Tick> {
    for (const [index, tick] of this.ticks.entries())
      yield { tick, liquidityNet: this.nets[index] ?? 0n, liquidityGross: this.grosses[index] ?? 0n };
  }

  /** The place of the greatest tick that is at most this one; -1 where there is none. */
  indexAtOrBelow(tick: number): number {
    return indexAtOrBelow(this.ticks, tick);
  }

  /**
   * The table after a position changed (v3-core's Tick.update at both of its ends). A tick that is left
   * without liquidity is gone.
   *
   * @param delta liquidity that was added; negative where it was taken away.
   * @throws RetryError when the position ends where no tick can be, or more is taken away than is there: the
   *   log does not belong to this state.
   */
  with(tickLower: number, tickUpper: number, delta: bigint): TickTable {
    expectTick(tickLower, this.tickSpacing);
    expectTick(tickUpper, this.tickSpacing);
    if (tickLower >= tickUpper) throw new RetryError(`a position from tick ${tickLower} to ${tickUpper}`);
    const columns: Columns = [[...this.ticks], [...this.nets], [...this.grosses], [...this.floatRatios]];
    change(columns, tickLower, delta, delta);
    change(columns, tickUpper, -delta, delta);
    const [ticks, nets, grosses, floatRatios] = columns;
    return new TickTable(this.tickSpacing, ticks, nets, grosses, floatRatios, liquiditiesOf(nets));
  }
}

/** Ticks, what they add, what they hold, and their prices as floats. */
type Columns = readonly [number[], bigint[], bigint[], number[]];

function change(columns: Columns, tick: number, netDelta: bigint, grossDelta: bigint): void {
  const [ticks, nets, grosses, floatRatios] = columns;
  const below = indexAtOrBelow(ticks, tick);
  const exists = below >= 0 && ticks[below] === tick;
  const index = exists ? below : below + 1;
  const net = (exists ? (nets[index] ?? 0n) : 0n) + netDelta;
  const gross = (exists ? (grosses[index] ?? 0n) : 0n) + grossDelta;
  if (gross < 0n) throw new RetryError(`more liquidity is taken from tick ${tick} than is there`);
  if (gross === 0n) for (const column of columns) column.splice(index, exists ? 1 : 0);
  else {
    const replaced = exists ? 1 : 0;
    ticks.splice(index, replaced, tick);
    nets.splice(index, replaced, net);
    grosses.splice(index, replaced, gross === net ? net : gross);
    floatRatios.splice(index, replaced, floatRatioAtTick(tick));
  }
}

/** Summed exactly: next to a large position, floats would lose the small ones below it. */
function liquiditiesOf(nets: readonly bigint[]): number[] {
  let liquidity = 0n;
  return nets.map((net) => Number((liquidity += net)));
}

/** The place of the greatest that is at most this one; -1 where there is none. */
function indexAtOrBelow(ascending: readonly number[], tick: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) <= tick) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function expectTick(tick: number, tickSpacing: number): void {
  if (!Number.isInteger(tick) || tick < MIN_TICK || tick > MAX_TICK || tick % tickSpacing !== 0)
    throw new RetryError(`tick ${tick} cannot be in a pool of spacing ${tickSpacing}`);
}
