import { HaltError } from '../../domain/errors.js';
import type { Address } from '../../domain/hex.js';

/** A pool whose liquidations this bot cannot compute. Its message is the sentence for the operator. */
export class MarketRefused extends HaltError {
  /** @param pool whose upgrade may end it. */
  constructor(
    message: string,
    readonly pool: Address,
  ) {
    super(message, 'books');
  }
}
