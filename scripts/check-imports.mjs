/** Part of `npm run lint`: what eslint, which sees one file at a time, cannot tell of the imports. */
import { fileURLToPath } from 'node:url';
import { MAY_IMPORT } from '../eslint.config.mjs';
import { circlesOf, importGraph, unusedPermissions } from './import-graph.mjs';

const graph = importGraph(fileURLToPath(new URL('..', import.meta.url)), [
  'src',
  'devnet',
  'bench',
  'contracts',
  'testing',
  'test',
  'migrations',
]);
const problems = [
  ...circlesOf(graph).map((circle) => `an import circle: ${circle.join(' -> ')}`),
  ...unusedPermissions(graph, MAY_IMPORT).map(
    ([folder, other]) => `eslint.config.mjs lets src/${folder} import src/${other}, but no file does`,
  ),
];
for (const problem of problems) console.error(`imports: ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);
