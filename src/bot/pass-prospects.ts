import type { Detecting } from '../detector/opportunity-detector.js';
import type { AtRisk } from '../domain/at-risk.js';
import { rejected, type Rejection } from '../domain/decision.js';
import type { Opportunity } from '../domain/opportunity.js';
import { positionKey } from '../domain/position-id.js';
import type { Prospects } from '../planner/prospects.js';
import { skippedFor, type LeftPositions, type SkippedPosition } from './skipped.js';

/** The positions of one pass with a health factor below 1. Each is inspected when the planner opens it. */
export class PassProspects implements Prospects {
  readonly all: readonly AtRisk[];
  /** In flight, or refused when they were opened. */
  readonly skipped: SkippedPosition[] = [];
  /** Called with the first position that is an opportunity. */
  onOpportunity: (() => void) | undefined;
  private readonly opened = new Set<number>();
  private found = false;
  private rest = rejected('comes-later');

  /**
   * @param inFlight keys of positions.
   * @param refusal of everything, whatever is found: nothing may be planned now.
   */
  constructor(
    private readonly detecting: Detecting,
    inFlight: ReadonlySet<string>,
    private readonly refusal: Rejection | undefined,
  ) {
    const isInFlight = (position: AtRisk): boolean => !refusal && inFlight.has(positionKey(position));
    this.all = detecting.positions.filter((position) => !isInFlight(position));
    for (const position of detecting.positions)
      if (isInFlight(position)) this.skip(position, rejected('in-flight'));
  }

  /** Whether a plan may come of one that was opened. */
  get hasOpportunity(): boolean {
    return this.found;
  }

  open(index: number): Opportunity | undefined {
    const position = this.all[index];
    if (!position) return undefined;
    this.opened.add(index);
    const detection = this.detecting.inspect(position);
    const refusal = detection.kind === 'rejected' ? detection : this.refusal;
    if (refusal) this.skip(position, refusal);
    if (refusal || detection.kind === 'rejected') return undefined;
    if (!this.found) this.onOpportunity?.();
    this.found = true;
    return detection.opportunity;
  }

  leave(rest: Rejection): void {
    this.rest = rest;
  }

  /** What was not opened. */
  get left(): LeftPositions {
    return { rejection: this.rest, positions: this.all.filter((_, index) => !this.opened.has(index)) };
  }

  private skip(position: AtRisk, rejection: Rejection): void {
    this.skipped.push(skippedFor(position, rejection));
  }
}
