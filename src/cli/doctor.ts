import type { ConfigSourceOptions } from '../config/index.js';
import { checkUp } from '../doctor/doctor.js';
import type { Looked, Verdict } from '../doctor/finding.js';
import { Clock } from '../domain/clock.js';
import { wrapped } from '../monitoring/told/wrapped.js';
import { RemarkedEvents } from './positions-parts.js';
import type { Terminal } from './terminal.js';

export interface DoctorOptions {
  readonly json?: boolean;
  readonly live?: boolean;
}

const MARKS: Readonly<Record<Verdict, string>> = { well: 'ok', warning: '!!', problem: 'XX', skipped: '--' };
const COLUMNS = 80;

/** @returns 0, or 1 when there is a problem; warnings alone are 0. */
export async function doctor(
  { json = false, live = false }: DoctorOptions,
  terminal: Terminal,
  from: ConfigSourceOptions = {},
): Promise<number> {
  const looked = await checkUp(from, { clock: new Clock(), events: new RemarkedEvents(terminal), live });
  const counts = countsOf(looked);
  if (json) terminal.print(JSON.stringify({ well: counts.problem === 0, counts, checks: looked }, null, 2));
  else for (const line of linesOf(looked, counts)) terminal.print(line);
  return counts.problem === 0 ? 0 : 1;
}

type Counts = Readonly<Record<Verdict, number>>;

function countsOf(looked: readonly Looked[]): Counts {
  const counts = { well: 0, warning: 0, problem: 0, skipped: 0 };
  for (const { verdict } of looked) counts[verdict]++;
  return counts;
}

function linesOf(looked: readonly Looked[], { well, warning, problem, skipped }: Counts): string[] {
  const areas = [...new Set(looked.map(({ area }) => area))];
  return [
    ...areas.flatMap((area) => [area, ...looked.filter((one) => one.area === area).flatMap(linesOfOne)]),
    '',
    `${looked.length} questions: ${well} well, ${warning} warnings, ${problem} problems, ${skipped} not asked`,
  ];
}

function linesOfOne({ verdict, name, found, cure }: Looked): string[] {
  return [
    ...wrapped(`${name}: ${found}`, COLUMNS, `  ${MARKS[verdict]} `, '     '),
    ...(cure === undefined ? [] : wrapped(cure, COLUMNS, '     → ', '       ')),
  ];
}
