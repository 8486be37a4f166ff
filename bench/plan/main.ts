/** `npm run bench:plan`: what pools and plans cost in own work, ours against the way by calls, in one run. */
import { parseArgs } from 'node:util';
import { helpOf, runGroups, runToTheEnd, type Group } from '../groups.js';
import type { Measurement } from '../measurement.js';
import { hundred } from './hundred.js';
import { block, memory } from './pools.js';
import { quote } from './quote.js';

type Progress = (step: string) => void;

/** In the order in which they run. */
const GROUPS: Readonly<Record<string, Group<Progress, Measurement>>> = {
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

${helpOf(GROUPS)}`;

const progress: Progress = (step) => void process.stderr.write(`  … ${step}\n`);

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
  const measurements = await runGroups(GROUPS, values.only, progress);
  if (values.json) console.log(JSON.stringify(measurements));
  else
    for (const { name, value, unit, note } of measurements)
      console.log(`${name.padEnd(26)} ${value} ${unit}   ${note}`);
}

await runToTheEnd('bench:plan', bench);
