/**
 * `npm run bench:state`: what the state of a large market costs, ours against the plain way, in one run.
 */
import { parseArgs } from 'node:util';
import { Logger } from '@nestjs/common';
import { helpOf, runGroups, runToTheEnd, type Group } from '../groups.js';
import { blocks } from './blocks.js';
import { decode } from './decode.js';
import { idle } from './idle.js';
import { markets } from './markets.js';
import type { GroupOptions, Measurement } from './measurement.js';
import { memory } from './memory.js';
import { mixed } from './mixed.js';
import { restart } from './restart.js';
import { scan } from './scan.js';
import { seconds } from './seconds.js';

/** In the order in which they run. */
const GROUPS: Readonly<Record<string, Group<GroupOptions, Measurement>>> = {
  memory: {
    about: 'what a process takes that holds N positions; plain: as objects, a tenth of them and scaled up',
    run: memory,
  },
  scan: {
    about:
      'which of N positions are below 1; plain: exact arithmetic on all, and that pass where one price moved',
    run: scan,
  },
  mixed: {
    about: 'the same for three families together, after all prices moved; plain: exact arithmetic on all',
    run: mixed,
  },
  decode: { about: 'logs a second; plain: with ethers', run: decode },
  blocks: {
    about:
      '200 logs applied at 100,000 positions; plain: with ethers, and exact arithmetic for every account in them',
    run: blocks,
  },
  markets: {
    about:
      'a block with logs of 500 Morpho markets, 250,000 positions; plain: with ethers, and exact arithmetic on all',
    run: markets,
  },
  restart: {
    about:
      'until 100,000 positions are back from Postgres; plain: from the chain, 2,000 of them and scaled up',
    run: restart,
  },
  idle: { about: 'calls in an empty block, 10,000 real borrowers; plain: asking for all of them', run: idle },
  seconds: {
    about:
      'calls of the real bot in a second of empty blocks of 200 ms, 10,000 real borrowers of three families; plain: asking for all',
    run: seconds,
  },
};

const HELP = `npm run bench:state -- [options]

  What the state of a large market costs, each next to the plain way in the same run.

  --json           print one JSON array, as the only line
  --only GROUP     one group of measurements
  --positions N    how many positions the first two groups have (1000000)
  --help           this text

${helpOf(GROUPS)}`;

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
  const positions = Number(values.positions);
  if (!Number.isInteger(positions) || positions < 1)
    throw new Error(`--positions: "${values.positions}" is not valid; a whole number above 0 was expected`);
  const options: GroupOptions = { positions, progress };
  const measurements = await runGroups(GROUPS, values.only, options);
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

// The last line of --json is the result; every failure is thrown.
Logger.overrideLogger(false);
await runToTheEnd('bench:state', bench);
