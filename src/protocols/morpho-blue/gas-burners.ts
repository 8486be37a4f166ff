import type { Address } from '../../domain/hex.js';

/** So long an oracle that took all the gas of a call is not asked, seconds; twice as long each further time. */
const FIRST_WAIT_SECONDS = 60;
const LONGEST_WAIT_SECONDS = 3_600;

interface Burner {
  /** Seconds since the epoch. */
  readonly askAt: number;
  readonly waitSeconds: number;
}

/**
 * Oracles that took all the gas of a call. The calls after such an oracle have to be asked again (see
 * `rpc/chain/gas-split.ts`), and a node spends up to 50M gas on it. So it is left out of the call of the other
 * oracles, and asked again now and then, one of them at a head.
 */
export class GasBurners {
  private readonly burners = new Map<Address, Burner>();

  has(oracle: Address): boolean {
    return this.burners.has(oracle);
  }

  /** The one that is to be asked again at that time, seconds since the epoch. */
  dueAmong(oracles: Iterable<Address>, now: number): Address | undefined {
    let due: Address | undefined;
    let dueAt = now + 1;
    for (const oracle of oracles) {
      const { askAt } = this.burners.get(oracle) ?? { askAt: Infinity };
      if (askAt < dueAt) [due, dueAt] = [oracle, askAt];
    }
    return due;
  }

  /**
   * What asking these oracles showed. The same answers may be told again.
   *
   * @param now seconds since the epoch, of the block of the answers.
   */
  heard(now: number, answered: Iterable<Address>, burned: Iterable<Address>): void {
    for (const oracle of answered) this.burners.delete(oracle);
    for (const oracle of burned) {
      const before = this.burners.get(oracle);
      if (before && before.askAt > now) continue;
      const waitSeconds = Math.min(
        before ? 2 * before.waitSeconds : FIRST_WAIT_SECONDS,
        LONGEST_WAIT_SECONDS,
      );
      this.burners.set(oracle, { askAt: now + waitSeconds, waitSeconds });
    }
  }
}
