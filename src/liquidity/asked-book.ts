import { Clock } from '../domain/clock.js';
import type { Read } from '../rpc/chain/read.js';
import type { BlockStep, Followed } from '../state/followed.js';

/** How often it is asked. */
const ASK_EVERY_MS = 5_000;
const NOTHING: BlockStep = { readsChange: false, contradicted: [] };

/**
 * What follows no logs, because too many logs of too many contracts would change it: all of it is asked every
 * few seconds, beside what else is asked at a head. Other blocks cost no call. What changes in between is
 * found by the proof of a plan.
 */
export abstract class AskedBook<View> implements Followed<View, BlockStep, undefined, View | undefined> {
  abstract readonly name: string;
  readonly watched = new Map();
  /** When it was asked last, and when that was answered last: of the question, so that books ask together. */
  private askedAtMs = -Infinity;
  private answeredAtMs = -Infinity;

  /** @param answer before the first one. */
  protected constructor(
    private answer: View,
    private readonly clock: Clock,
  ) {}

  /** Everything. It has no calls where there is nothing to ask. */
  protected abstract question(): Read<View>;

  /** It watches no contract. */
  check(): void {
    return;
  }

  prepare(): Promise<BlockStep> {
    return Promise.resolve(NOTHING);
  }

  commit(): undefined {
    return undefined;
  }

  /** What a block said that is gone is as good as what any other block near it says. */
  undo(): void {
    return;
  }

  prepareRange(): Promise<BlockStep> {
    return Promise.resolve(NOTHING);
  }

  commitRange(): void {
    return;
  }

  /** An answer that is lost is asked for again at the next head. */
  reads(): Read<View | undefined> {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.answeredAtMs < ASK_EVERY_MS) return { calls: [], decode: () => undefined };
    this.askedAtMs = nowMs;
    const question = this.question();
    return question.calls.length > 0 ? question : { calls: [], decode: () => undefined };
  }

  view(answer: View | undefined): View {
    if (answer !== undefined) {
      this.answer = answer;
      this.answeredAtMs = this.askedAtMs;
    }
    return this.answer;
  }
}
