/** `npm run test:faults`: runs the tests of every fault, and prints what was expected and what was seen. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describedFaults, faultResults, isComplete, NUMBERS, tableOf } from './fault-table.js';
import { runTests } from './run-tests.js';

const HELP = `npm run test:faults -- [options] [F07 F12 …]

  Runs every test whose name begins with F01 to F56, or with one of the numbers given, and prints a table:
  number, fault, what was expected (docs/faults.md), what was seen, time to detect, time to recover.
  Ends with 1 when a number is missing or fails.

  --json   print one JSON object
  --help   this text`;

const root = fileURLToPath(new URL('../../', import.meta.url));
const FOLDERS = ['src', 'devnet', 'bench', 'test', 'testing', 'contracts', 'scripts'];

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const unknown = words.filter((word) => !NUMBERS.includes(word) && !['--json', '--help'].includes(word));
  if (unknown.length > 0 || words.includes('--help')) {
    console.error(
      [...unknown.map((word) => `${word}: no such option, and no fault from F01 to F56`), HELP].join('\n'),
    );
    return unknown.length > 0 ? 1 : 0;
  }
  const chosen = NUMBERS.filter((number) => words.includes(number));
  const numbers = chosen.length > 0 ? chosen : NUMBERS;
  const { tests, errors } = await runTests(
    root,
    filesWith(numbers),
    numbers,
    ({ names, state, error = '' }) =>
      console.error(`${state === 'passed' ? '✓' : '✗'} ${names.join(' > ')} ${error}`.trimEnd()),
  );
  const described = describedFaults(readFileSync(join(root, 'docs/faults.md'), 'utf8'));
  const results = faultResults(described, tests, numbers);
  const passed = isComplete(results) && errors.length === 0;
  if (words.includes('--json')) console.log(JSON.stringify({ passed, faults: results, errors }, null, 2));
  else
    for (const line of [...tableOf(results), ...errors.map((error) => `error: ${error}`)]) console.log(line);
  return passed ? 0 : 1;
}

/** The specs that name one of the numbers: the others need not be loaded. */
function filesWith(numbers: readonly string[]): string[] {
  const named = new RegExp(`['"\`]([A-Z]\\d\\d )*(${numbers.join('|')}) `);
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  ).filter((file) => file.endsWith('.spec.ts') && named.test(readFileSync(join(root, file), 'utf8')));
}
