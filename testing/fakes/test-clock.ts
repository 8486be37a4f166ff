import { Clock } from '../../src/domain/clock.js';

/** A clock that stands still until a test moves it. */
export class TestClock extends Clock {
  private atMs = 0;

  /** @param startMs of the wall clock: milliseconds since the epoch. */
  constructor(private readonly startMs = Date.UTC(2026, 0, 1)) {
    super();
  }

  override monotonicMs(): number {
    return this.atMs;
  }

  override wallMs(): number {
    return this.startMs + this.atMs;
  }

  advance(ms: number): void {
    this.atMs += ms;
  }
}
