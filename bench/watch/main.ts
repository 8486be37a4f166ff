/** `npm run bench:watch`: from `npx chimera watch` to its first proved plan, with nothing but a node. */
import { parseArgs } from 'node:util';
import { whole } from '../../devnet/whole.js';
import { runToTheEnd } from '../groups.js';
import { firstPlan, type Milestones } from './first-plan.js';

const HELP = `npm run bench:watch -- [options]

  Starts a local chain with borrowers, some of them below 1, and without our
  contract. Runs the command watch against it, and prints the seconds from its
  start to what it knows. The exit code is 1 when no plan was proved in time.

  --borrowers N    how many borrowers, 12 to 1000 (1000)
  --within N       seconds after which it ends without a plan (120)
  --json           print one JSON object, as the only line
  --help           this text`;

const WHAT: Readonly<Record<keyof Milestones, string>> = {
  firstLine: 'the first line',
  markets: 'the markets are known',
  borrowers: 'the borrowers are known',
  pools: 'the pools are known',
  firstPlan: 'the first proved plan',
};

const progress = (step: string): void => void process.stderr.write(`  … ${step}\n`);

async function bench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      borrowers: { type: 'string', default: '1000' },
      within: { type: 'string', default: '120' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const borrowers = whole('--borrowers', values.borrowers, 12, 1_000);
  const withinSeconds = whole('--within', values.within, 1, 3_600);
  const { below, seconds } = await firstPlan({ borrowers, withinSeconds, progress });
  if (values.json) console.log(JSON.stringify({ borrowers, below, seconds }));
  else {
    console.log(`${borrowers} borrowers, ${below} of them below 1. Seconds from the start of the command:`);
    for (const [name, what] of Object.entries(WHAT)) {
      const at = seconds[name as keyof Milestones];
      console.log(`  ${what.padEnd(26)} ${at === undefined ? 'never' : at.toFixed(1).padStart(5)}`);
    }
  }
  if (seconds.firstPlan === undefined) throw new Error(`no plan was proved within ${withinSeconds} s`);
}

await runToTheEnd('bench:watch', bench);
