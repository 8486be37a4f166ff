import type { AtRisk, SizeLimits } from '../../src/domain/at-risk.js';
import type { NearPosition } from '../../src/domain/near-position.js';
import type { LendingMarket, MarketView } from '../../src/protocols/lending-market.js';
import { standIn } from './stand-in.js';

/** A market that says of its positions what a test wants, and keeps the limits that it was asked with. */
export class FakeMarketView implements MarketView {
  readonly limits: SizeLimits[] = [];
  /** What interest alone opens, the earliest first. */
  opening: readonly AtRisk[] = [];
  nearOnes: readonly NearPosition[] = [];
  /** Of every asset. */
  ownPriceUsd8: bigint | undefined;

  constructor(
    private readonly positions: readonly AtRisk[],
    readonly borrowerCount = positions.length,
  ) {}

  aboutToOpen(): readonly AtRisk[] {
    return this.opening;
  }

  near(belowWad: bigint): (NearPosition | undefined)[] {
    return this.nearOnes.map((one) => (one.healthFactorWad < belowWad ? one : undefined));
  }

  priceUsd8(): bigint | undefined {
    return this.ownPriceUsd8;
  }

  atRisk(limits: SizeLimits): readonly AtRisk[] {
    this.limits.push(limits);
    return this.positions;
  }
}

/** The market to which a {@link FakeMarketView} belongs: its name is all that is asked of it. */
export function fakeMarket(name: string): LendingMarket {
  return standIn<LendingMarket>(`market ${name}`, { name });
}
