import type { Address } from '../../domain/hex.js';
import type { PriceFault } from './reads.js';

/** So long an oracle is not asked after this answer, seconds; twice as long each further time. */
const FIRST_WAIT_SECONDS: Readonly<Partial<Record<PriceFault, number>>> = {
  'oracle-out-of-gas': 60,
  'oracle-silent': 10,
};
const LONGEST_WAIT_SECONDS = 3_600;

interface Waiting {
  readonly fault: PriceFault;
  /** Seconds since the epoch. */
  readonly askAt: number;
  readonly waitSeconds: number;
}

/**
 * Oracles that took all the gas of a call, or may have: a failure without a reason looks the same where the
 * node gives a call much gas. The calls after such an oracle have to be asked again
 * (`rpc/chain/gas-split.ts`), and a node spends up to 50M gas on it. So it is left out of the call of the
 * other oracles, and asked again now and then, one of them at a head.
 */
export class WaitingOracles {
  private readonly waiting = new Map<Address, Waiting>();

  /** For what an oracle waits; undefined for one that does not. */
  faultOf(oracle: Address): PriceFault | undefined {
    return this.waiting.get(oracle)?.fault;
  }

  /** The one that is to be asked again at that time, seconds since the epoch. */
  dueAmong(oracles: Iterable<Address>, now: number): Address | undefined {
    let due: Address | undefined;
    let dueAt = now + 1;
    for (const oracle of oracles) {
      const { askAt } = this.waiting.get(oracle) ?? { askAt: Infinity };
      if (askAt < dueAt) [due, dueAt] = [oracle, askAt];
    }
    return due;
  }

  /**
   * What asking showed. The same answers may be told again.
   *
   * @param now seconds since the epoch, of the block of the answers.
   * @param priced the oracles that gave a price.
   */
  heard(now: number, priced: Iterable<Address>, faults: ReadonlyMap<Address, PriceFault>): void {
    for (const oracle of priced) this.waiting.delete(oracle);
    for (const [oracle, fault] of faults) {
      const first = FIRST_WAIT_SECONDS[fault];
      const before = this.waiting.get(oracle);
      if (first === undefined) this.waiting.delete(oracle);
      else if (!before || before.askAt <= now) {
        const waitSeconds = Math.min(before ? 2 * before.waitSeconds : first, LONGEST_WAIT_SECONDS);
        this.waiting.set(oracle, { fault, askAt: now + waitSeconds, waitSeconds });
      }
    }
  }
}
