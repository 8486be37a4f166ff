/**
 * A text in lines of at most so many columns, broken between words. A word that is longer stands alone.
 *
 * @param first what stands before the first line.
 * @param hanging what stands before each other line.
 */
export function wrapped(text: string, columns: number, first = '', hanging = first): string[] {
  const lines: string[] = [];
  let words: string[] = [];
  const start = (): string => (lines.length === 0 ? first : hanging);
  const length = (): number => words.reduce((sum, word) => sum + word.length + 1, start().length - 1);
  for (const word of text.split(' ')) {
    if (words.length > 0 && length() + 1 + word.length > columns) {
      lines.push(start() + words.join(' '));
      words = [];
    }
    words.push(word);
  }
  return [...lines, start() + words.join(' ')];
}
