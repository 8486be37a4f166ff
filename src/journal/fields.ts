/** What a record of a journal is read with. Each throws a TypeError for anything else than what it names. */

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw new TypeError('an object was expected');
  return { ...value };
}

export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text was expected');
  return value;
}

export function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw new TypeError('a number was expected');
  return value;
}
