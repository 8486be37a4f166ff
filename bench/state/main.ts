/**
 * `npm run bench:state`: what the state of a large market costs, ours against the plain way, in one run.
 */
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { messageOf } from '../../src/domain/errors.js';
import { blocks } from './blocks.js';
import { decode } from './decode.js';
import { idle } from './idle.js';
import type { GroupOptions, Measurement } from './measurement.js';
import { memory } from './memory.js';
import { restart } from './restart.js';
import { scan } from './scan.js';

interface Group {
  readonly about: string;
  readonly run: (options: GroupOptions) => Measurement[] | Promise<Measurement[]>;
}

/** In the order in which they run. */
const GROUPS: Readonly<Record<string, Group>> = {
  memory: {
    about: 'what a process takes that holds N positions; plain: as objects, a tenth of them and scaled up',
    run: memory,
  },
  scan: {
    about:
      'which of N positions are below 1; plain: exact arithmetic on all, and that pass where one price moved',
    run: scan,
  },
  decode: { about: 'logs a second; plain: with ethers', run: decode },
  blocks: {
    about:
      '200 logs applied at 100,000 positions; plain: with ethers, and exact arithmetic for every account in them',
    run: blocks,
  },
  restart: {
    about:
      'until 100,000 positions are back from Postgres; plain: from the chain, 2,000 of them and scaled up',
    run: restart,
  },
  idle: { about: 'calls in an empty block, 10,000 real borrowers; plain: asking for all of them', run: idle },
};

const HELP = `npm run bench:state -- [options]

  What the state of a large market costs, each next to the plain way in the same run.

  --json           print one JSON array, as the only line
  --only GROUP     one group of measurements
  --positions N    how many positions the first two groups have (1000000)
  --help           this text

${Object.entries(GROUPS)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join('\n')}`;

/** After this long something hangs. */
const DEADLINE_MS = 600_000;

async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      positions: { type: 'string', default: '1000000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const { only } = values;
  if (only !== undefined && !Object.hasOwn(GROUPS, only))
    throw new Error(
      `--only: there is no group "${only}"; one of ${Object.keys(GROUPS).join(', ')} was expected`,
    );
  const positions = Number(values.positions);
  if (!Number.isInteger(positions) || positions < 1)
    throw new Error(`--positions: "${values.positions}" is not valid; a whole number above 0 was expected`);
  const options: GroupOptions = { positions, progress };
  const measurements: Measurement[] = [];
  for (const [name, { run }] of Object.entries(GROUPS))
    if (only === undefined || only === name) measurements.push(...(await run(options)));
  console.log(values.json ? JSON.stringify(measurements) : tableOf(measurements));
}

function progress(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`  … ${step}\n`);
}

function tableOf(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ name, value, unit, baseline, ratio }) => [
    name,
    String(value),
    unit,
    ...(baseline === null ? ['', ''] : [`${baseline}`, `${ratio ?? ''}`]),
  ]);
  const all = [['', 'value', 'unit', 'the plain way', 'ratio'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  const isNumber = (column: number): boolean => column !== 0 && column !== 2;
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

// Chain, database and their directories end with the process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
setTimeout(() => {
  console.error(`bench:state: not done after ${DEADLINE_MS / 60_000} minutes`);
  process.exit(1);
}, DEADLINE_MS).unref();
// The last line of --json is the result; every failure is thrown.
Logger.overrideLogger(false);
try {
  await bench();
  process.exit(0);
} catch (error) {
  console.error(`bench:state: ${messageOf(error)}`);
  process.exit(1);
}
