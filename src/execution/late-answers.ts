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
   * Asks, but for what is under way, and for what has an answer that was not taken yet.
   *
   * @param question is asked of all together. It must not throw. What it leaves out has no answer.
   * @returns resolves when each of them was answered.
   */
  async ask<Key extends string>(
    whats: readonly Key[],
    question: (asked: readonly Key[]) => Promise<ReadonlyMap<Key, T>>,
  ): Promise<void> {
    const nowMs = this.clock.monotonicMs();
    for (const [key, { askedAtMs }] of this.questions)
      if (nowMs - askedAtMs >= OUT_OF_DATE_MS) this.questions.delete(key);
    const earlier = whats.flatMap((what) => this.questions.get(what) ?? []);
    const asked = new Map<Key, Question<T>>();
    const open = whats.filter((what) => !this.questions.has(what));
    if (open.length > 0) {
      const ended = question(open).then((answers) => {
        for (const [what, value] of answers) {
          const one = asked.get(what);
          if (one) one.answer = { value };
        }
      });
      for (const what of open) asked.set(what, { askedAtMs: nowMs, ended });
      for (const [what, one] of asked) this.questions.set(what, one);
    }
    await Promise.all([...earlier, ...asked.values()].map(({ ended }) => ended));
  }

  /** The answer, once; undefined while there is none. */
  take(what: string): T | undefined {
    const answer = this.questions.get(what)?.answer;
    if (answer) this.questions.delete(what);
    return answer?.value;
  }
}
