/** The command line of the soak. */
import { parseArgs } from 'node:util';

export interface SoakArguments {
  readonly minutes: number;
  readonly seed: number;
  /** The last line is one JSON object. */
  readonly json: boolean;
  readonly help: boolean;
}

export const HELP = `npm run soak -- [options]

  The real bot on a local chain and a real database, for N minutes: a market that moves at random, rivals, and faults
  of nodes, database, chain and process. All of it comes from the seed. It ends with 0 only when everything held.

  --minutes N   how long, 0.5 to 1440 (30)
  --seed S      repeats the market and the faults of another run (default: by the clock)
  --json        print the report as one JSON object in the last line
  --help        this text`;

const LEAST_MINUTES = 0.5;
const MOST_MINUTES = 1_440;

/** @throws Error in one sentence: what, and what was expected. */
export function parseSoakArguments(words: readonly string[], seedByClock: number): SoakArguments {
  const { values } = parseArgs({
    args: [...words],
    options: {
      minutes: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(seedByClock) },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  if (!/^\d+(\.\d+)?$/.test(values.minutes) || minutes < LEAST_MINUTES || minutes > MOST_MINUTES)
    throw new Error(
      `--minutes: "${values.minutes}" is not valid; a number from ${LEAST_MINUTES} to ${MOST_MINUTES} was expected`,
    );
  if (!/^\d{1,9}$/.test(values.seed))
    throw new Error(
      `--seed: "${values.seed}" is not valid; a whole number of at most nine digits was expected`,
    );
  return { minutes, seed: Number(values.seed), json: values.json, help: values.help };
}
