import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { circlesOf, importGraph, unusedPermissions } from './import-graph.mjs';

let root;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'chimera-imports-'));
});

afterEach(() => rmSync(root, { recursive: true }));

/** @param {Record<string, string>} files texts by path */
function graphOf(files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return importGraph(root, ['src']);
}

describe('the import graph', () => {
  it('holds every way to import a file of the project, and no package', () => {
    const graph = graphOf({
      'src/a.ts': `
        import { b } from './deep/b.js';
        import type { C } from './c.js';
        export { d } from './d.js';
        import './e.js';
        import fs from 'node:fs';
        const later = () => import('./f.js');
        let g: import('./g.js').G;`,
      'src/deep/b.ts': `import { c } from '../c.js';`,
      ...Object.fromEntries(['c', 'd', 'e', 'f', 'g'].map((name) => [`src/${name}.ts`, ''])),
    });
    expect(graph.get('src/a.ts')?.toSorted()).toEqual([
      'src/c.ts',
      'src/d.ts',
      'src/deep/b.ts',
      'src/e.ts',
      'src/f.ts',
      'src/g.ts',
    ]);
    expect(graph.get('src/deep/b.ts')).toEqual(['src/c.ts']);
  });
});

describe('a circle', () => {
  it('of three files is named by its way, also when one import is of a type alone', () => {
    const graph = graphOf({
      'src/entry.ts': `import './a.js';`,
      'src/a.ts': `import type { B } from './b.js';`,
      'src/b.ts': `import './c.js';`,
      'src/c.ts': `import './a.js'; import './leaf.js';`,
      'src/leaf.ts': '',
    });
    expect(circlesOf(graph)).toEqual([['src/a.ts', 'src/b.ts', 'src/c.ts', 'src/a.ts']]);
  });

  it('is not seen where two ways lead to one file', () => {
    const graph = graphOf({
      'src/a.ts': `import './b.js'; import './c.js';`,
      'src/b.ts': `import './d.js';`,
      'src/c.ts': `import './d.js';`,
      'src/d.ts': '',
    });
    expect(circlesOf(graph)).toEqual([]);
  });

  it('is named once for each group of files', () => {
    const graph = graphOf({
      'src/a.ts': `import './b.js';`,
      'src/b.ts': `import './a.js';`,
      'src/self.ts': `import './self.js';`,
    });
    expect(circlesOf(graph)).toEqual([
      ['src/a.ts', 'src/b.ts', 'src/a.ts'],
      ['src/self.ts', 'src/self.ts'],
    ]);
  });
});

describe('a permission to import', () => {
  it('that no file uses is named; an import of a spec does not count', () => {
    const graph = graphOf({
      'src/rpc/pool.ts': `import '../domain/errors.js';`,
      'src/rpc/pool.spec.ts': `import '../config/index.js';`,
      'src/domain/errors.ts': '',
      'src/config/index.ts': '',
    });
    const table = { domain: [], config: ['domain'], rpc: ['domain', 'config'] };
    expect(unusedPermissions(graph, table)).toEqual([
      ['config', 'domain'],
      ['rpc', 'config'],
    ]);
  });
});
