/**
 * `npm run coverage:contracts`: runs the contract tests on instrumented code and fails when a branch of
 * contracts/src is never taken. Invariants and fuzz runs do not count: a branch needs a test that names its
 * case.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const report = join(root, '.cache', 'forge', 'lcov.info');
const measured = 'contracts/src/';

/**
 * The lcov records of contracts/src: lines, functions and branches found and hit, and the lines of missed
 * branches.
 */
function readReport() {
  const files = [];
  for (const record of readFileSync(report, 'utf8').split('end_of_record')) {
    const path = /^SF:(.*)$/m.exec(record)?.[1];
    const file = path && relative(root, join(root, path));
    if (!file?.startsWith(measured)) continue;
    const count = (key) => Number(new RegExp(`^${key}:(\\d+)$`, 'm').exec(record)?.[1] ?? 0);
    const missed = [...record.matchAll(/^BRDA:(\d+),\d+,\d+,(?:0|-)$/gm)].map(([, line]) => line);
    files.push({
      file: file.slice(measured.length),
      lines: [count('LH'), count('LF')],
      functions: [count('FNH'), count('FNF')],
      branches: [count('BRH'), count('BRF')],
      missed,
    });
  }
  return files;
}

mkdirSync(dirname(report), { recursive: true });
const forge = [join(root, 'contracts', 'forge.mjs'), 'coverage', '--no-match-test', 'invariant_|fuzz'];
const { status } = spawnSync(
  process.execPath,
  [...forge, '--report', 'lcov', '--report-file', report, ...process.argv.slice(2)],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);
if (status !== 0) {
  console.error('coverage:contracts: a test failed; run `npm run test:contracts` to see which');
  process.exit(1);
}

const files = readReport();
const cell = ([hit, found]) => `${hit}/${found}`.padStart(9);
console.log(`${'contracts/src'.padEnd(18)}    lines functions  branches`);
for (const { file, lines, functions, branches } of files)
  console.log(`${file.padEnd(18)}${cell(lines)} ${cell(functions)} ${cell(branches)}`);
const missed = files.flatMap(({ file, missed: lines }) => lines.map((line) => `${file}:${line}`));
if (files.length === 0) console.error('coverage:contracts: the report holds no file of contracts/src');
if (missed.length > 0) console.error(`coverage:contracts: branches never taken: ${missed.join(', ')}`);
process.exit(files.length === 0 || missed.length > 0 ? 1 : 0);
