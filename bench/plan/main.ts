/** `npm run bench:plan`: what pools and plans cost in own work, ours against the way by calls, in one run. */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/domain/errors.js';
import type { Measurement } from '../measurement.js';
import { hundred } from './hundred.js';
import { block, memory } from './pools.js';
import { quote } from './quote.js';

interface Group {
  readonly about: string;
  readonly run: (progress: (step: string) => void) => Measurement[] | Promise<Measurement[]>;
}

/** In the order in which they run. */
const GROUPS: Readonly<Record<string, Group>> = {
  quote: { about: 'a quote over three hops; baseline: QuoterV2 on a chain without delay', run: quote },
  block: { about: '500 swap logs of a block, applied to pools in memory', run: block },
  hundred: { about: 'the best plans of 100 liquidations over 300 pools', run: hundred },
  memory: { about: 'what 2,000 pools take', run: memory },
};

const HELP = `npm run bench:plan -- [options]

  What pools and plans cost in own work.

  --json           print one JSON array, as the only line
  --only GROUP     one group of measurements
  --help           this text

${Object.entries(GROUPS)
  .map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`)
  .join('\n')}`;

/** After this long something hangs. */
const DEADLINE_MS = 600_000;

const progress = (step: string): void => void process.stderr.write(`  … ${step}\n`);

async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
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
  const measurements: Measurement[] = [];
  for (const [name, { run }] of Object.entries(GROUPS))
    if (only === undefined || only === name) measurements.push(...(await run(progress)));
  if (values.json) console.log(JSON.stringify(measurements));
  else
    for (const { name, value, unit, note } of measurements)
      console.log(`${name.padEnd(26)} ${value} ${unit}   ${note}`);
}

// Chain and processes end with this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
setTimeout(() => {
  console.error(`bench:plan: not done after ${DEADLINE_MS / 60_000} minutes`);
  process.exit(1);
}, DEADLINE_MS).unref();
try {
  await bench();
  process.exit(0);
} catch (error) {
  console.error(`bench:plan: ${messageOf(error)}`);
  process.exit(1);
}
