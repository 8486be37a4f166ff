/** Which file imports which, read from the sources; type-only imports count. Used by check-imports.mjs. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import ts from 'typescript';

/**
 * @param {string} root the directory of the project
 * @param {readonly string[]} folders the folders to read, relative to root
 * @returns {Map<string, string[]>} of each TypeScript file, relative to root, the files of these folders it
 * imports
 */
export function importGraph(root, folders) {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
      .sort(),
  );
  const known = new Set(files);
  return new Map(
    files.map((file) => [file, importsOf(root, file).filter((imported) => known.has(imported))]),
  );
}

function importsOf(root, file) {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'));
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(posix.dirname(file), name).replace(/\.js$/, '.ts'));
}

/**
 * @param {Map<string, string[]>} graph
 * @returns {string[][]} circles that share no file, each as a way that ends where it begins; none: an empty
 * list
 */
export function circlesOf(graph) {
  const left = new Map(graph);
  const circles = [];
  for (const start of graph.keys()) {
    if (!left.has(start)) continue;
    const way = wayBack(left, start);
    if (way) {
      circles.push([...way, start]);
      for (const file of way) left.delete(file);
    }
  }
  return circles;
}

/** The shortest way from a file to itself, without the last step; undefined when there is none. */
function wayBack(graph, start) {
  const cameFrom = new Map();
  const queue = [start];
  for (const file of queue) {
    for (const next of graph.get(file) ?? []) {
      if (next === start) {
        const way = [file];
        while (way[0] !== start) way.unshift(cameFrom.get(way[0]));
        return way;
      }
      if (!cameFrom.has(next)) {
        cameFrom.set(next, file);
        queue.push(next);
      }
    }
  }
  return undefined;
}

/**
 * @param {Map<string, string[]>} graph
 * @param {Readonly<Record<string, readonly string[]>>} table of each folder of src/, which others it may
 * import
 * @returns {[string, string][]} each folder with one that it may import, while none of its files does (specs
 * do not count)
 */
export function unusedPermissions(graph, table) {
  const used = new Set();
  for (const [file, imported] of graph) {
    if (file.endsWith('.spec.ts')) continue;
    for (const other of imported) used.add(`${folderOf(file)} ${folderOf(other)}`);
  }
  return Object.entries(table).flatMap(([folder, allowed]) =>
    allowed.filter((other) => !used.has(`${folder} ${other}`)).map((other) => [folder, other]),
  );
}

function folderOf(file) {
  const [top, folder] = file.split('/');
  return top === 'src' ? folder : undefined;
}
