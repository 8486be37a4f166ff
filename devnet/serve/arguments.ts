/** The command line of `npm run devnet`. */
import { parseArgs } from 'node:util';
import { whole } from '../whole.js';

export interface DevnetArguments {
  readonly port: number;
  readonly borrowers: number;
  readonly blockMs: number;
  /** Where the API of the bot will listen. */
  readonly apiPort: number;
  /** Where the configuration is written, and where a bot with it keeps its data. */
  readonly dir: string;
  readonly help: boolean;
}

export const HELP = `npm run devnet -- [options]

  A local chain with real lenders, exchanges, feeds, borrowers and our contract.
  It writes a configuration with which the bot runs against it, and says how.

  --port N          of the chain, on 127.0.0.1; 0 is a free one (8545)
  --borrowers N     how many borrowers, 1 to 1000 (50)
  --block-ms N      milliseconds between two blocks, 100 to 10000 (1000)
  --api-port N      of the bot's API, in the configuration (3000)
  --dir DIRECTORY   in which a directory of this run is made (./data)
  --help            this text`;

/** @throws Error in one sentence: what, and what was expected. */
export function parseDevnetArguments(words: readonly string[]): DevnetArguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      port: { type: 'string', default: '8545' },
      borrowers: { type: 'string', default: '50' },
      'block-ms': { type: 'string', default: '1000' },
      'api-port': { type: 'string', default: '3000' },
      dir: { type: 'string', default: './data' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    port: whole('--port', values.port, 0, 65_535),
    borrowers: whole('--borrowers', values.borrowers, 1, 1_000),
    blockMs: whole('--block-ms', values['block-ms'], 100, 10_000),
    apiPort: whole('--api-port', values['api-port'], 0, 65_535),
    dir: values.dir,
    help: values.help,
  };
}
