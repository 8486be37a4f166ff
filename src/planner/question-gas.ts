import { AdaptiveSize } from '../rpc/endpoints/adaptive-size.js';

/** By default nodes spend 50M on one question, whatever it holds: `rpc.gascap` of geth, reth and erigon. */
const MOST_GAS_OF_QUESTION = 48_000_000;
/** After how many answers to questions of the full size a larger one is tried, once one was refused. */
const PATIENCE = 8;

/**
 * How much gas all endpoints spend on one question. A refusal halves it for the endpoint that refused; later
 * more is tried again.
 */
export class QuestionGas {
  private readonly sizes = new Map<string, AdaptiveSize>();

  get most(): bigint {
    const sizes = [...this.sizes.values()].map((size) => size.next(MOST_GAS_OF_QUESTION));
    return BigInt(Math.min(MOST_GAS_OF_QUESTION, ...sizes));
  }

  answered(endpoint: string, gas: bigint): void {
    this.sizeOf(endpoint).served(Number(gas));
  }

  refused(endpoint: string, gas: bigint): void {
    this.sizeOf(endpoint).refused(Number(gas));
  }

  private sizeOf(endpoint: string): AdaptiveSize {
    const known = this.sizes.get(endpoint);
    if (known) return known;
    const limits = { first: MOST_GAS_OF_QUESTION, largest: MOST_GAS_OF_QUESTION, patience: PATIENCE };
    const size = new AdaptiveSize(limits);
    this.sizes.set(endpoint, size);
    return size;
  }
}
