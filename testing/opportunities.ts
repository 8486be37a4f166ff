import type { ChimeraConfig } from '../src/config/index.js';
import { OpportunityDetector, type Detection } from '../src/detector/opportunity-detector.js';
import { USD8 } from '../src/domain/money.js';
import type { Opportunity } from '../src/domain/opportunity.js';
import { PriceGuard } from '../src/oracles/price-guard.js';
import type { StateView } from '../src/state/state-view.js';
import type { AaveParts } from './aave-state.js';

const UNLIMITED_USD8 = 10n ** 9n * USD8;

/** What the detector finds in a view. @param limitUsd8 the most that one liquidation may cover */
export function opportunitiesIn(
  view: StateView,
  { market, feeds }: AaveParts,
  config: ChimeraConfig,
  limitUsd8 = UNLIMITED_USD8,
): Opportunity[] {
  const detector = new OpportunityDetector({ all: [market] }, feeds, new PriceGuard(config), config);
  return detectionsOf(detector, view, limitUsd8).flatMap((detection) =>
    detection.kind === 'opportunity' ? [detection.opportunity] : [],
  );
}

/** What the detector says of each position. */
export function detectionsOf(detector: OpportunityDetector, view: StateView, limitUsd8: bigint): Detection[] {
  const look = detector.look(view, limitUsd8);
  return look.positions.map((position) => look.inspect(position));
}
