import type { Round } from './chainlink.js';

/**
 * The last good price of the native token, for the blocks at which its feed gives none. It is good when as
 * many endpoints as must agree about plans said it.
 */
export class KeptPrice {
  private good: Round | undefined;
  /** Blocks since it was found to be good. */
  private blocks = 0;

  get round(): Round | undefined {
    return this.good;
  }

  isGood(round: Round): boolean {
    return this.good?.answer === round.answer && this.good.updatedAt === round.updatedAt;
  }

  confirm(round: Round): void {
    this.good = round;
    this.blocks = 0;
  }

  applied(): void {
    this.blocks += 1;
  }

  /** A price of a branch that is gone is not kept. */
  takenBack(): void {
    this.blocks -= 1;
    if (this.blocks < 0) this.good = undefined;
  }
}
