import { Injectable } from '@nestjs/common';
import { Clock } from '../domain/clock.js';
import type { NearPosition } from '../domain/near-position.js';
import { positionKey } from '../domain/position-id.js';
import { LendingMarkets, type MarketView } from '../protocols/lending-market.js';
import type { StateView } from '../state/state-view.js';

/** Of a market in a crash, the lowest tell enough. */
export const MOST_NEAR = 10_000;
/** After so long everything else gets its turn. */
const LONGEST_TURN_MS = 3;
/** The clock is looked at after so many positions. */
const LOOK_AT_CLOCK = 32;

/** The positions of all markets below a health factor. */
export interface Edge {
  /** How many there are. */
  readonly total: number;
  /** The lowest health factors first, at most {@link MOST_NEAR}. */
  readonly positions: readonly NearPosition[];
}

/** Finds the positions near the edge, beside the passes: in short turns, between which a block is served. */
@Injectable()
export class EdgeScan {
  constructor(
    private readonly markets: LendingMarkets,
    private readonly clock: Clock,
  ) {}

  /**
   * @param view the newest.
   * @param belowWad at most the health factor up to which positions are watched.
   */
  async of(view: StateView, belowWad: bigint): Promise<Edge> {
    let found: NearPosition[] = [];
    let [total, looked, bar, room] = [0, 0, Infinity, 2 * MOST_NEAR];
    let turnMs = this.clock.monotonicMs();
    for (const market of this.markets.all)
      for (const position of view.of<MarketView>(market).near(belowWad)) {
        if (position) {
          total++;
          if (Number(position.healthFactorWad) <= bar) found.push(position);
        }
        if (found.length >= room) {
          bar = barOf(found);
          found = found.filter(({ healthFactorWad }) => Number(healthFactorWad) <= bar);
          room = found.length + MOST_NEAR;
        }
        if (++looked % LOOK_AT_CLOCK !== 0 || this.clock.monotonicMs() - turnMs < LONGEST_TURN_MS) continue;
        await this.clock.nextTurn();
        turnMs = this.clock.monotonicMs();
      }
    if (found.length > MOST_NEAR) {
      bar = barOf(found);
      found = found.filter(({ healthFactorWad }) => Number(healthFactorWad) <= bar);
    }
    await this.clock.nextTurn();
    return { total, positions: found.sort(byHealth).slice(0, MOST_NEAR) };
  }
}

/** At most as high as this are the lowest {@link MOST_NEAR}, and some that are as high. A float. */
function barOf(positions: readonly NearPosition[]): number {
  const sorted = Float64Array.from(positions, ({ healthFactorWad }) => Number(healthFactorWad)).sort();
  return sorted[MOST_NEAR - 1] ?? Infinity;
}

/** Where two are equally healthy, their identity decides, so that pages follow on each other. */
export function byHealth(
  a: Pick<NearPosition, 'healthFactorWad'> & Parameters<typeof positionKey>[0],
  b: typeof a,
): number {
  if (a.healthFactorWad !== b.healthFactorWad) return a.healthFactorWad < b.healthFactorWad ? -1 : 1;
  const [keyA, keyB] = [positionKey(a), positionKey(b)];
  return keyA < keyB ? -1 : keyA > keyB ? 1 : 0;
}
