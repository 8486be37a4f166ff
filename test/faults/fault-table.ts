import type { FaultTimes } from '../../testing/fault-times.js';

/** F01 to F58. */
export const NUMBERS: readonly string[] = Array.from(
  { length: 58 },
  (_, index) => `F${String(index + 1).padStart(2, '0')}`,
);

/** One row of the table in docs/faults.md. */
export interface DescribedFault {
  readonly number: string;
  readonly fault: string;
  readonly expected: string;
}

/** One test that ran. */
export interface FaultTest {
  /** The names of its suites and its own. */
  readonly names: readonly string[];
  /** Where it is, from the root of the repository. */
  readonly file: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly times: FaultTimes | undefined;
  /** The first line of what it failed with. */
  readonly error?: string | undefined;
}

/** What is known of one number. */
export interface FaultResult {
  readonly number: string;
  readonly described: readonly DescribedFault[];
  readonly seen: 'passed' | 'failed' | 'missing';
  readonly passed: number;
  readonly failed: readonly FaultTest[];
  /** The longest of its tests. */
  readonly detectMs: number | undefined;
  readonly recoverMs: number | undefined;
}

/** The rows of docs/faults.md whose first column is a number such as F07. */
export function describedFaults(markdown: string): DescribedFault[] {
  return [...markdown.matchAll(/^\| (F\d\d) +\| (.*?) +\| (.*?) +\|$/gm)].map(
    ([, number = '', fault = '', expected = '']) => ({ number, fault, expected }),
  );
}

/** The numbers at the beginning of a name: F05 and F24 of "A09 F05 F24 a node …". */
export function numbersOf(name: string): string[] {
  const [codes = ''] = /^([A-Z]\d\d )*/.exec(name) ?? [];
  return codes.split(' ').filter((code) => NUMBERS.includes(code));
}

/** @param numbers of which results are wanted */
export function faultResults(
  described: readonly DescribedFault[],
  tests: readonly FaultTest[],
  numbers: readonly string[] = NUMBERS,
): FaultResult[] {
  return numbers.map((number) => {
    const own = tests.filter(({ names }) => names.some((name) => numbersOf(name).includes(number)));
    const passed = own.filter(({ state }) => state === 'passed').length;
    const failed = own.filter(({ state }) => state === 'failed');
    return {
      number,
      described: described.filter((fault) => fault.number === number),
      seen: failed.length > 0 ? 'failed' : passed > 0 ? 'passed' : 'missing',
      passed,
      failed,
      detectMs: longest(own.flatMap(({ times }) => times?.detectMs ?? [])),
      recoverMs: longest(own.flatMap(({ times }) => times?.recoverMs ?? [])),
    };
  });
}

/** Whether every number is described, and was seen as expected. */
export function isComplete(results: readonly FaultResult[]): boolean {
  return results.every(({ described, seen }) => described.length > 0 && seen === 'passed');
}

const HEADINGS = ['#', 'fault', 'expected', 'seen', 'to detect', 'to recover'];
/** Of the columns; longer texts go on in the next line. */
const WIDTHS = [3, 34, 60, 12, 9, 10];

/** Why a fault has no time to detect: what the bot does with the very answer, log or row that is at fault. */
const AT_ONCE: Readonly<Record<string, string>> = {
  F09: 'at once: nothing is sent',
  F14: 'at once: dropped',
  F24: 'at once: accepted',
  F25: 'at the next start',
  F43: 'at once: refused',
  F48: 'ahead: budgets hold it',
  F49: 'with its receipt',
  F58: 'with its block',
};

/** The table for a terminal, and below it what failed or is missing. */
export function tableOf(results: readonly FaultResult[]): string[] {
  const rule = WIDTHS.map((width) => '-'.repeat(width)).join('-+-');
  const rows = results.flatMap(({ number, described, seen, passed, failed, detectMs, recoverMs }) => {
    const count = seen === 'missing' ? '' : ` (${passed + failed.length})`;
    const [first, ...others] = described;
    const { fault, expected } = first ?? { fault: 'not described in docs/faults.md', expected: '' };
    return [
      ...rowOf([
        number,
        fault,
        expected,
        `${seen}${count}`,
        detectMs === undefined ? (AT_ONCE[number] ?? '-') : seconds(detectMs),
        seconds(recoverMs),
      ]),
      ...others.flatMap((other) => rowOf(['', other.fault, other.expected, '', '', ''])),
      rule,
    ];
  });
  const passed = results.filter(({ seen }) => seen === 'passed').length;
  const notSeen = results
    .filter(({ seen }) => seen !== 'passed')
    .map(({ number, seen }) => `${number} ${seen}`);
  return [
    ...rowOf(HEADINGS),
    rule,
    ...rows,
    '',
    `${passed} of ${results.length} passed${notSeen.length > 0 ? `: ${notSeen.join(', ')}` : ''}.`,
    ...results.flatMap(({ failed }) =>
      failed.map(
        ({ file, names, error }) =>
          `failed: ${file}: ${names.join(' > ')}${error === undefined ? '' : `: ${error}`}`,
      ),
    ),
    'Times are the longest of the tests of a number, on this machine. - : nothing to detect, or no recovery.',
  ];
}

function rowOf(cells: readonly string[]): string[] {
  const wrapped = cells.map((cell, column) => wrap(cell.replaceAll('`', ''), WIDTHS[column] ?? 0));
  const height = Math.max(...wrapped.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    wrapped
      .map((lines, column) => (lines[line] ?? '').padEnd(WIDTHS[column] ?? 0))
      .join(' | ')
      .trimEnd(),
  );
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Two digits are enough to compare. */
function seconds(ms: number | undefined): string {
  if (ms === undefined) return '-';
  if (ms < 1) return '< 1 ms';
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

function longest(times: readonly number[]): number | undefined {
  return times.length === 0 ? undefined : Math.max(...times);
}
