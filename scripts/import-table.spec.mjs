import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAY_IMPORT } from '../eslint.config.mjs';

/** The rows of the table in docs/architecture.md, as folder and what it may import. */
function documentedTable() {
  const text = readFileSync(new URL('../docs/architecture.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| ([a-z-]+)\/ +\|[^|]*\| ([^|]+?) +\|$/gm)];
  return Object.fromEntries(
    rows.map(([, folder, allowed]) => [folder, allowed === 'nothing' ? [] : allowed.split(', ').toSorted()]),
  );
}

describe('the import table of docs/architecture.md', () => {
  it('is the table that lint enforces', () => {
    const enforced = Object.fromEntries(
      Object.entries(MAY_IMPORT).map(([folder, allowed]) => [folder, allowed.toSorted()]),
    );
    expect(documentedTable()).toEqual(enforced);
  });
});
