/** The whole number of an option. @throws Error in one sentence: what, and what was expected. */
export function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Error(
      `${option}: "${text}" is not valid; a whole number from ${least} to ${most} was expected`,
    );
  return value;
}
