const MINUTE_MS = 60_000;
/** More reasons than these in one minute are not told apart. */
const MOST_REASONS = 50;

/** Lets each reason through once in a minute, so that a flood does not fill the log (F55). */
export class OncePerMinute {
  private readonly seen = new Map<string, number>();

  /** @param nowMs monotonic milliseconds. */
  isDue(reason: string, nowMs: number): boolean {
    for (const [old, atMs] of this.seen) if (nowMs - atMs >= MINUTE_MS) this.seen.delete(old);
    if (this.seen.has(reason) || this.seen.size >= MOST_REASONS) return false;
    this.seen.set(reason, nowMs);
    return true;
  }
}
