import { positionKey, type PositionId } from '../domain/position-id.js';

/**
 * The last decision about each position. One that is refused for the same reason in every pass makes
 * one line and one row, not one a block. One without a decision in a whole pass is forgotten.
 */
export class RepeatFilter {
  private last = new Map<string, string>();
  private present = new Map<string, string>();

  startPass(): void {
    this.last = this.present;
    this.present = new Map();
  }

  /**
   * Notes a decision about a position.
   *
   * @returns whether it is new: the pass before had another decision about it, or none.
   */
  isNew(position: PositionId, said: string): boolean {
    this.present.set(positionKey(position), said);
    return this.differs(position, said);
  }

  /** As {@link isNew}, without noting it. */
  differs(position: PositionId, said: string): boolean {
    return this.last.get(positionKey(position)) !== said;
  }
}
