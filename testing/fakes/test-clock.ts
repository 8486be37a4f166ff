import { Clock } from '../../src/domain/clock.js';

/** A clock that stands still until a test moves it. */
export class TestClock extends Clock {
  private atMs = 0;
  private readonly timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();

  /** @param startMs of the wall clock: milliseconds since the epoch. */
  constructor(private readonly startMs = Date.UTC(2026, 0, 1)) {
    super();
  }

  override monotonicMs(): number {
    return this.atMs;
  }

  /** All of the time, as if nothing was ever waited for. */
  override busyMs(): number {
    return this.atMs;
  }

  override cpuMs(): number {
    return this.atMs;
  }

  override wallMs(): number {
    return this.startMs + this.atMs + this.correctionMs;
  }

  override after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.atMs + ms, callback };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Moves the time. What is due by then is called, the earliest first. */
  advance(ms: number): void {
    this.atMs += ms;
    const due = [...this.timers].filter(({ dueMs }) => dueMs <= this.atMs);
    for (const timer of due.sort((a, b) => a.dueMs - b.dueMs))
      if (this.timers.delete(timer)) timer.callback();
  }
}
