import { HaltError } from '../domain/errors.js';

/**
 * A market whose liquidations this bot cannot compute. Its message is the sentence for the operator. The
 * market stops, and the others go on (`RefusableMarket`).
 */
export class MarketRefused extends HaltError {
  constructor(message: string) {
    super(message, 'books');
  }
}
