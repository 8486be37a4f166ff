import { rankOf, SEVERITIES, type Message } from '../domain/alert.js';
import type { Clock } from '../domain/clock.js';
import type { Events } from '../domain/events/events.js';
import { DeliveryError, unreachable, type Channel } from './channels/channel.js';

/** A message on its way to one channel. */
export interface Delivery {
  readonly message: Message;
  /** Milliseconds since the epoch. */
  readonly notBeforeMs: number;
  /** It was delivered, or given up: what is stored of it can go. */
  readonly ended: () => void;
}

/** How a channel fares, for people. */
export interface ChannelStatus {
  readonly name: string;
  readonly kind: string;
  readonly pending: number;
  readonly sent: number;
  /** Messages that were given up. */
  readonly givenUp: number;
  readonly failedInARow: number;
  readonly lastError: string | undefined;
  /** Milliseconds since the epoch. */
  readonly lastSentAtMs: number | undefined;
  /** From the moment at which it was raised. */
  readonly lastLatencyMs: number | undefined;
}

/** The other side has so long to take a message. Milliseconds. */
export const DEADLINE_MS = 10_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** After this time a message is old news. */
const LONGEST_WAIT_MS = 24 * 3_600_000;
/** After so many failures the fault may be the message's: from then on others go first. */
const TRIES_IN_FRONT = 3;
/** When so many different messages failed in a row, the fault was the channel's. */
const FAULT_OF_CHANNEL = 2;
/**
 *  So many messages wait for one channel. Beyond that the least urgent one, the oldest of them, is given up.
 */
export const MOST_PENDING = 500;

/** One attempt to send. @throws DeliveryError and nothing else. */
export async function attempt(
  channel: Channel,
  message: Message,
  clock: Clock,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const controller = new AbortController();
  let cancel: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(deadlineMs, () => {
      controller.abort();
      reject(new DeliveryError('it did not answer in time'));
    });
  });
  const sending = channel.send(message, controller.signal);
  // When the time is over first, nobody waits for it any more.
  sending.catch(() => undefined);
  try {
    await Promise.race([sending, late]);
  } catch (error) {
    throw unreachable(error, controller.signal);
  } finally {
    cancel?.();
  }
}

/** A message that waits. */
interface Waiting extends Delivery {
  attempts: number;
  /** The fault may be its own: others go first. */
  isAside: boolean;
}

/**
 * Delivers the messages of one channel, one after the other, the most urgent first. A channel that is slow or
 * away holds up only itself, and a message that it does not take holds up no other one (F37). Of what waits
 * about one alert, only the newest counts.
 */
export class ChannelWorker {
  private waiting: readonly Waiting[] = [];
  private sending: Waiting | undefined;
  /** Messages that failed since one was taken. */
  private readonly failing = new Set<Waiting>();
  private isBusy = false;
  private isStopped = false;
  private readyAtMs = 0;
  /** The other side has named a time. */
  private askedToWaitUntilMs = 0;
  private cancelWake: (() => void) | undefined;
  private tally = { sent: 0, givenUp: 0, failedInARow: 0 };
  private lastError: string | undefined;
  private lastSentAtMs: number | undefined;
  private lastLatencyMs: number | undefined;

  constructor(
    private readonly channel: Channel,
    private readonly clock: Clock,
    private readonly events: Events,
    private readonly deadlineMs = DEADLINE_MS,
  ) {}

  get status(): ChannelStatus {
    const { name, kind } = this.channel;
    const { lastError, lastSentAtMs, lastLatencyMs } = this;
    return {
      name,
      kind,
      pending: this.waiting.length,
      ...this.tally,
      lastError,
      lastSentAtMs,
      lastLatencyMs,
    };
  }

  add(delivery: Delivery): void {
    for (const old of this.waiting.filter((one) => one !== this.sending))
      if (supersedes(delivery.message, old.message)) this.remove(old);
    // The pause is for the sake of the channel. What is wrong may be only what it did not take.
    if (this.waiting.every(({ isAside }) => isAside) && !this.sending)
      this.readyAtMs = this.askedToWaitUntilMs;
    this.waiting = [...this.waiting, { ...delivery, attempts: 0, isAside: false }];
    if (this.waiting.length > MOST_PENDING) this.giveUp(this.leastUrgent(), 'too many messages wait');
    this.wake();
  }

  stop(): void {
    this.isStopped = true;
    this.cancelWake?.();
  }

  /** Nothing that could be sent now is waiting. */
  get isIdle(): boolean {
    return !this.isBusy && (this.next() === undefined || this.tally.failedInARow > 0);
  }

  private wake(): void {
    if (this.isBusy || this.isStopped) return;
    this.cancelWake?.();
    const waitMs = this.waitMs();
    if (waitMs === undefined) return;
    if (waitMs > 0) this.cancelWake = this.clock.after(waitMs, () => this.wake());
    else void this.run();
  }

  /** Milliseconds until the next message is due: 0 when one is due now, undefined when none waits. */
  private waitMs(): number | undefined {
    if (this.waiting.length === 0) return undefined;
    const pauseMs = this.readyAtMs - this.clock.monotonicMs();
    const dueMs = Math.min(...this.waiting.map(({ notBeforeMs }) => notBeforeMs)) - this.clock.wallMs();
    // The wall clock may be put right in the meantime, so it is looked at once a minute.
    return Math.max(0, pauseMs, Math.min(dueMs, LONGEST_PAUSE_MS));
  }

  private async run(): Promise<void> {
    this.isBusy = true;
    try {
      for (let delivery = this.next(); delivery && !this.isStopped; delivery = this.next())
        if (!(await this.deliver(delivery))) break;
    } finally {
      this.isBusy = false;
      this.wake();
    }
  }

  /**
   * The oldest of the most urgent ones that are due; what was tried in vain comes after all others. The end
   * of an alert waits for its beginning.
   */
  private next(): Waiting | undefined {
    const nowMs = this.clock.wallMs();
    const begun = new Set<string>();
    let best: Waiting | undefined;
    for (const one of this.waiting) {
      const { status, key } = one.message;
      const mustWait = one.notBeforeMs > nowMs || (status === 'resolved' && begun.has(key));
      if (status === 'firing') begun.add(key);
      if (!mustWait && (!best || turnOf(one) < turnOf(best))) best = one;
    }
    return best;
  }

  private leastUrgent(): Waiting {
    // There is one: the caller has added it.
    return this.waiting
      .filter((one) => one !== this.sending)
      .reduce((least, one) => (urgency(one) > urgency(least) ? one : least));
  }

  /** @returns whether the next one may be tried at once. */
  private async deliver(delivery: Waiting): Promise<boolean> {
    const { message } = delivery;
    delivery.attempts += 1;
    const { attempts } = delivery;
    this.sending = delivery;
    try {
      await attempt(this.channel, message, this.clock, this.deadlineMs);
    } catch (error) {
      return this.failed(delivery, error as DeliveryError);
    } finally {
      this.sending = undefined;
    }
    this.remove(delivery);
    // The channel is back: the most urgent is next, however often it was tried.
    if (this.failing.size >= FAULT_OF_CHANNEL) for (const one of this.waiting) one.isAside = false;
    this.failing.clear();
    const nowMs = this.clock.wallMs();
    const latencyMs = Math.max(0, nowMs - Math.max(message.atMs, delivery.notBeforeMs));
    this.tally = { ...this.tally, sent: this.tally.sent + 1, failedInARow: 0 };
    this.lastSentAtMs = nowMs;
    this.lastLatencyMs = latencyMs;
    this.lastError = undefined;
    const { name: channel, kind } = this.channel;
    const { severity, key } = message;
    this.events.emit({ event: 'alert-sent', channel, kind, severity, key, attempts, latencyMs });
    return true;
  }

  /** @returns as {@link deliver}. */
  private failed(delivery: Waiting, error: DeliveryError): boolean {
    const reason = error.message;
    const isOld = this.clock.wallMs() - delivery.message.atMs > LONGEST_WAIT_MS;
    this.lastError = reason;
    if (error.isFinal || isOld) {
      this.giveUp(delivery, reason);
      return true;
    }
    delivery.isAside = delivery.attempts >= TRIES_IN_FRONT;
    this.failing.add(delivery);
    const failedInARow = this.tally.failedInARow + 1;
    this.tally = { ...this.tally, failedInARow };
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (failedInARow - 1), LONGEST_PAUSE_MS);
    const { retryAfterMs = 0 } = error;
    const retryInMs = Math.max(pauseMs, retryAfterMs);
    const nowMs = this.clock.monotonicMs();
    this.readyAtMs = nowMs + retryInMs;
    this.askedToWaitUntilMs = nowMs + retryAfterMs;
    this.report(delivery, reason, retryInMs);
    return false;
  }

  private giveUp(delivery: Waiting, reason: string): void {
    this.remove(delivery);
    this.failing.delete(delivery);
    this.lastError = reason;
    this.tally = { ...this.tally, givenUp: this.tally.givenUp + 1 };
    this.report(delivery, reason, undefined);
  }

  private report(
    { message: { severity, key }, attempts }: Waiting,
    reason: string,
    retryInMs: number | undefined,
  ): void {
    const { name: channel, kind } = this.channel;
    this.events.emit({ event: 'alert-failed', channel, kind, severity, key, attempts, reason, retryInMs });
  }

  private remove(delivery: Waiting): void {
    this.waiting = this.waiting.filter((one) => one !== delivery);
    delivery.ended();
  }
}

/** A new beginning or repeat of an alert tells all that earlier messages about it would tell. */
function supersedes(message: Message, earlier: Message): boolean {
  return message.status === 'firing' && earlier.status !== 'report' && earlier.key === message.key;
}

/** The lowest is next. */
function turnOf(one: Waiting): number {
  return (one.isAside ? SEVERITIES.length : 0) + urgency(one);
}

function urgency({ message }: Delivery): number {
  return rankOf(message.severity);
}
