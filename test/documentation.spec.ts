import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const textOf = (file: string): string =>
  readFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8');

describe('the documentation', () => {
  it('names only commands that exist', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
    for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/architecture.md', 'devnet/README.md']) {
      const named = [...textOf(file).matchAll(/npm run ([a-z0-9:]+)/g)].map(([, name]) => name);
      for (const name of named) expect(Object.keys(scripts), file).toContain(name);
    }
  });
});
