/** The time, as every part of the bot asks for it. Tests put a clock of their own in its place. */
export class Clock {
  /** Milliseconds that never go back: for durations, latencies and deadlines. Their origin means nothing. */
  monotonicMs(): number {
    return performance.now();
  }

  /** Milliseconds that the event loop has worked since the process began: without its waiting. */
  busyMs(): number {
    return performance.eventLoopUtilization().active;
  }

  /** Milliseconds that the process has computed since it began, on all its threads. */
  cpuMs(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  }

  /** Lets everything else that is ready have its turn. */
  nextTurn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Calls back once after so many milliseconds. @returns what cancels it. */
  after(ms: number, callback: () => void): () => void {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  }

  /** Added to the clock of this machine, when it was found to be wrong. Milliseconds. */
  correctionMs = 0;

  /** Milliseconds since the epoch: for what is compared with a block's timestamp, stored or shown. */
  wallMs(): number {
    return Date.now() + this.correctionMs;
  }
}
