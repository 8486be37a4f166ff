/** The time, as every part of the bot asks for it. Tests put a clock of their own in its place. */
export class Clock {
  /** Milliseconds that never go back: for durations, latencies and deadlines. Their origin means nothing. */
  monotonicMs(): number {
    return performance.now();
  }

  /** Milliseconds since the epoch: for what is compared with a block's timestamp, stored or shown. */
  wallMs(): number {
    return Date.now();
  }
}
