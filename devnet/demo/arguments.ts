/** The command line of the demo. */
import { parseArgs } from 'node:util';
import { whole } from '../whole.js';

export interface DemoArguments {
  /** End by itself after the scenario. */
  readonly once: boolean;
  /** The last line is one JSON object. */
  readonly json: boolean;
  readonly borrowers: number;
  readonly blockMs: number;
  /** Opens the page in a browser, where there is a screen. */
  readonly open: boolean;
  readonly help: boolean;
}

export const HELP = `npm run demo -- [options]

  A local chain with the real Aave v3.6 and Uniswap v3, a database, and the bot against both, while the market falls.

  --once            end by itself after the scenario (otherwise it stays up until Ctrl-C)
  --json            print the totals as one JSON object in the last line
  --borrowers N     how many borrowers, 1 to 1000 (50)
  --block-ms N      milliseconds between two blocks, 100 to 10000 (250)
  --no-open         do not open the page in a browser
  --help            this text`;

/** @throws Error in one sentence: what, and what was expected. */
export function parseDemoArguments(words: readonly string[]): DemoArguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      once: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'no-open': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      borrowers: { type: 'string', default: '50' },
      'block-ms': { type: 'string', default: '250' },
    },
  });
  return {
    once: values.once,
    json: values.json,
    open: !values['no-open'],
    help: values.help,
    borrowers: whole('--borrowers', values.borrowers, 1, 1000),
    blockMs: whole('--block-ms', values['block-ms'], 100, 10_000),
  };
}
