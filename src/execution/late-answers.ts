import type { Clock } from '../domain/clock.js';

/** An answer that is not taken for so long is out of date. Milliseconds. */
const OUT_OF_DATE_MS = 10_000;

interface Question<T> {
  readonly askedAtMs: number;
  readonly ended: Promise<void>;
  answer?: { readonly value: T };
}

/**
 * Questions to all endpoints, whose answers may come after the look at the chain that needs them. So an
 * endpoint that is slow holds no look up, and is heard all the same: at a later one.
 */
export class LateAnswers<T> {
  private readonly questions = new Map<string, Question<T>>();

  constructor(private readonly clock: Clock) {}

  /**
   * Asks, unless the same question is under way, or its answer was not taken yet.
   *
   * @param question must not throw.
   * @returns resolves when there is an answer.
   */
  ask(what: string, question: () => Promise<T>): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    for (const [key, { askedAtMs }] of this.questions)
      if (nowMs - askedAtMs >= OUT_OF_DATE_MS) this.questions.delete(key);
    const earlier = this.questions.get(what);
    if (earlier) return earlier.ended;
    const ended = question().then((value) => {
      asked.answer = { value };
    });
    const asked: Question<T> = { askedAtMs: nowMs, ended };
    this.questions.set(what, asked);
    return ended;
  }

  /** The answer, once; undefined while there is none. */
  take(what: string): T | undefined {
    const answer = this.questions.get(what)?.answer;
    if (answer) this.questions.delete(what);
    return answer?.value;
  }
}
