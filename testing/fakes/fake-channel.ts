import { DeliveryError, type Channel } from '../../src/alerts/channels/channel.js';
import type { Message } from '../../src/domain/alert.js';

/** A channel that answers as a test wants. */
export class FakeChannel implements Channel {
  readonly kind = 'fake';
  /** What it took, in order. */
  readonly taken: Message[] = [];
  /** How often it was asked. */
  asked = 0;
  /** Why it takes nothing; `silence`: it never answers. */
  problem: DeliveryError | 'silence' | undefined;
  /** Messages that it answers with 500, however often they come. */
  refuses: (message: Message) => boolean = () => false;
  /** Signals of what was not answered. */
  readonly signals: AbortSignal[] = [];

  constructor(readonly name = 'fake') {}

  send(message: Message, signal: AbortSignal): Promise<void> {
    this.asked += 1;
    this.signals.push(signal);
    if (this.problem === 'silence') return new Promise(() => undefined);
    if (this.problem) return Promise.reject(this.problem);
    if (this.refuses(message)) return Promise.reject(new DeliveryError('it answered 500'));
    this.taken.push(message);
    return Promise.resolve();
  }
}
