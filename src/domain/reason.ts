/**
 * Matches text without control characters, line separators, lone surrogates and marks that turn the direction
 * of text. Logs, alerts and terminals must show a reason as it was written.
 */
export const PLAIN_LINE = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]*$/u;

/**
 * Matches text in which something can be seen. Spaces of all kinds, marks without a letter, and characters
 * that are made to be invisible (zero-width ones, the fillers of Hangul, the empty braille cell) cannot.
 */
export const SOMETHING_VISIBLE = /(?![\p{DI}\u2800])[\p{L}\p{N}\p{P}\p{S}]/u;

/** The reason that a person gives for an order may be so long. */
export const LONGEST_REASON = 500;

/** What is wrong with the reason of an order, as a sentence; undefined for a good one. */
export function reasonProblem(text: string): string | undefined {
  if (text.length === 0 || text.length > LONGEST_REASON)
    return `a reason of 1 to ${LONGEST_REASON} characters was expected`;
  if (!PLAIN_LINE.test(text)) return 'the reason must be one line of text without control characters';
  return SOMETHING_VISIBLE.test(text) ? undefined : 'the reason must hold at least one visible character';
}
